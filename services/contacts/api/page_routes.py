"""Routes that customers open from a link: whoever comes with a browser is answered with a page, also where the link does nothing."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from services.contacts.api.preferences_page import refused_page, wants_html
from services.contacts.api.speaking import Names, Voice, voice
from services.contacts.domain.signing import BadToken, TokenExpired

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def voice_for(request: Request, own: str | None, names: Names) -> Voice:
    """`own`: the customer's language, as far as it is known."""
    return voice(own, request.headers.get("accept-language"), names)


def pages(names: Names) -> type[APIRoute]:
    """The class of such routes."""

    class PageRoute(APIRoute):
        def get_route_handler(self) -> Handler:
            answer = super().get_route_handler()

            async def answer_in_words(request: Request) -> Response:
                try:
                    return await answer(request)
                except (BadToken, TokenExpired) as refused:
                    if not wants_html(request):
                        raise
                    return refused_page(voice_for(request, None, names), over=isinstance(refused, TokenExpired))

            return answer_in_words

    return PageRoute
