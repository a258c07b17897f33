"""The route over which a channel listens: server-sent events."""

from collections.abc import Callable
from typing import Annotated, Literal

import anyio
from fastapi import APIRouter, Depends, Header, Query, Request
from sse_starlette import EventSourceResponse

from services.sync.domain.channel import NotPossible
from services.sync.domain.positions import read_event_id
from services.sync.handlers.channels import ChannelNotFound
from services.sync.handlers.streams import Line, Stream
from shared.http import Problem
from shared.security import KeyTable, Principal, require

PING_SECONDS = 15
SEND_SECONDS = 30
"""A client that takes nothing for so long is cut off; it resumes where it was."""
GRACE_SECONDS = 2.0
"""For a stream to end by itself when the service stops."""
EXAMPLE = 'id: 1:0.15-1.22\r\nevent: customer\r\ndata: {"channel":"call-centre","policy_version":1,...}\r\n\r\n'

Listener = Annotated[Principal, Depends(require("stream:read"))]
LastEventId = Annotated[
    str | None, Header(alias="Last-Event-ID", description="The id of the last event seen; goes on exactly behind it.")
]
From = Annotated[
    Literal["start"] | None,
    Query(alias="from", description="`start`: each customer once, then the changes. `Last-Event-ID` wins over it."),
]


def router(line: Line) -> APIRouter:
    routes = APIRouter(prefix="/v1/channels", tags=["channels"])

    @routes.get(
        "/{channel_id}/stream",
        summary="Listen to the changes",
        response_class=EventSourceResponse,
        responses={200: {"content": {"text/event-stream": {"example": EXAMPLE}}}},
    )
    async def stream_changes(
        request: Request,
        listener: Listener,
        channel_id: str,
        last_event_id: LastEventId = None,
        begin: From = None,
    ) -> EventSourceResponse:
        """Each event is a customer's newest view, as far as the channel may see it.

        Without `Last-Event-ID` it goes on behind what was last sent to the channel.
        """
        admit(line, listener, channel_id)
        resume = read_event_id(last_event_id) if last_event_id else None
        stopping, valid = anyio.Event(), still_valid(request)
        stream = Stream(
            channel_id, resume, line, lambda: valid() and not stopping.is_set(), from_start=begin == "start"
        )
        return EventSourceResponse(
            stream.chunks(),
            ping=PING_SECONDS,
            send_timeout=SEND_SECONDS,
            shutdown_event=stopping,
            shutdown_grace_period=GRACE_SECONDS,
        )

    return routes


def admit(line: Line, listener: Principal, channel_id: str) -> None:
    """A key listens to its own channel only; the administrator's to any."""
    if listener.channel_id != channel_id and not listener.may("*"):
        raise Problem(403, detail="The key speaks for another channel.")
    channel = line.channels.known.get(channel_id)
    if channel is None:
        raise ChannelNotFound(channel_id)
    if channel.kind != "sse":
        raise NotPossible("the channel is a webhook")
    if channel.state != "active":
        raise NotPossible(f"the channel is {channel.state}: {channel.reason}")


def still_valid(request: Request) -> Callable[[], bool]:
    """Whether the key is valid even now: a connection must not outlive it."""
    keys: KeyTable = request.app.state.keys
    key = request.headers["authorization"].partition(" ")[2]
    return lambda: keys.principal(key) is not None
