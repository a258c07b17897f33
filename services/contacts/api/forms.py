"""The routes of forms: registered by an operator, opened and sent by anybody, without a key."""

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Protocol
from urllib.parse import parse_qs

import orjson
from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel

from services.contacts.api.anybody import URLENCODED, address_of, body_of
from services.contacts.domain.forms import Form, Refused, token
from services.contacts.domain.importing.drafting import Rejected
from services.contacts.handlers.forms import Leads, Registered, TooOften
from shared.contracts.texts import has_control
from shared.http import Cursor, Limit, Page, Problem, encode_cursor, text_of
from shared.security import Principal, require

Reader = Annotated[Principal, Depends(require("contacts:read"))]
Writer = Annotated[Principal, Depends(require("contacts:write"))]
Name = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9._-]{0,39}$", examples=["newsletter"])]
MAX_BYTES = 64 * 1024
"""Of one form that is sent: what people type is a page or two."""
MAX_FIELDS = 200
SENT = {
    "requestBody": {
        "content": {kind: {"schema": {"type": "object"}} for kind in (URLENCODED, "application/json")},
        "required": True,
    }
}


class Forms(Protocol):
    """Where forms are kept."""

    async def form(self, name: str) -> Registered | None: ...

    async def save_form(self, name: str, form: Form, by: str) -> None: ...

    async def form_names(self, after: str, limit: int) -> list[str]: ...

    async def delete_form(self, name: str) -> bool: ...


class Opened(BaseModel):
    """What a page needs to show the form; `token` goes back with it as `_token`."""

    token: str
    fields: list[str]
    required: list[str]
    consents: dict[str, str]


class Received(BaseModel):
    """It was taken, and is kept."""

    received: bool = True


def registering(forms: Forms) -> APIRouter:
    """The operator's routes; to be included before those that take any word for an id."""
    routes = APIRouter(prefix="/v1/contacts/forms", tags=["forms"])

    @routes.get("", summary="List the forms")
    async def list_forms(_: Reader, cursor: Cursor = None, limit: Limit = 100) -> Page[str]:
        names = await forms.form_names(text_of(cursor, "after") or "", limit)
        return Page(items=names, next=encode_cursor({"after": names[-1]}) if len(names) == limit else None)

    @routes.get("/{form_name}", summary="Read a form")
    async def read_form(_: Reader, form_name: Name) -> Form:
        return (await _existing(forms, form_name)).form

    @routes.put("/{form_name}", status_code=204, summary="Register a form")
    async def register_form(principal: Writer, form_name: Name, form: Form) -> Response:
        await forms.save_form(form_name, form, principal.key_id)
        return Response(status_code=204)

    @routes.delete("/{form_name}", status_code=204, summary="Delete a form")
    async def delete_form(_: Writer, form_name: Name) -> Response:
        if not await forms.delete_form(form_name):
            raise _no_such(form_name)
        return Response(status_code=204)

    return routes


def public(forms: Forms, leads: Leads, proxies: int) -> APIRouter:
    """The routes that anybody may call. `proxies`: how many of ours stand between, each adding whom it was called by."""
    routes = APIRouter(prefix="/v1/forms", tags=["forms"])

    @routes.options("/{form_name}", status_code=204, summary="Whether a page of this origin may send the form")
    async def ask_form(form_name: Name, request: Request) -> Response:
        allowed = _cross_origin(await _existing(forms, form_name), request)
        more = {"access-control-allow-methods": "GET, POST", "access-control-allow-headers": "content-type"}
        return Response(
            status_code=204, headers={**allowed, **more, "access-control-max-age": "600"} if allowed else {}
        )

    @routes.get("/{form_name}", summary="Open a form")
    async def open_form(form_name: Name, request: Request, response: Response) -> Opened:
        found = await _existing(forms, form_name)
        response.headers.update(_cross_origin(found, request))
        form = found.form
        return Opened(
            token=token(found.secret, form_name, datetime.now(UTC)),
            fields=[one.source for one in form.fields if one.source],
            required=form.required(),
            consents={one.field: one.wording for one in form.consents},
        )

    @routes.post("/{form_name}", status_code=202, response_model=Received, summary="Send a form", openapi_extra=SENT)
    async def send_form(form_name: Name, request: Request) -> Response:
        """Needs no key. 202 says that it is kept; after a 503 send it again. A browser's own form is sent on (303).

        It makes a lead, known by `form:<e-mail, else number>`, and changes nobody who is known: what is ticked there waits for the link
        that is sent to that address, and is theirs once they have confirmed it. The answer does not tell whether somebody is known.
        """
        found = await _existing(forms, form_name)
        headers = _cross_origin(found, request)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            await leads.receive(
                found, _values(kind, await body_of(request, MAX_BYTES, "form")), address_of(request, proxies)
            )
        except Refused as refused:
            raise _problem(headers, refused.field, refused.why) from None
        except Rejected as rejected:
            raise _problem(headers, rejected.column or "email", rejected.detail) from None
        except TooOften:
            raise Problem(429, detail="Too many from one address.", headers={**headers, "retry-after": "60"}) from None
        if found.form.redirect and kind == URLENCODED:
            return RedirectResponse(found.form.redirect, HTTPStatus.SEE_OTHER, headers)
        return JSONResponse(Received().model_dump(), HTTPStatus.ACCEPTED, headers)

    return routes


def _problem(headers: Mapping[str, str], field: str, why: str) -> Problem:
    return Problem(422, "Not taken", errors=[(f"body.{field}", why)], headers=headers)


def _no_such(name: str) -> Problem:
    return Problem(404, detail=f"There is no form {name}.")


async def _existing(forms: Forms, name: str) -> Registered:
    found = await forms.form(name)
    if found is None:
        raise _no_such(name)
    return found


def _cross_origin(found: Registered, request: Request) -> dict[str, str]:
    """What lets a page read the answer. A browser says where a page is from; 403 if that is none of the form's origins."""
    origin = request.headers.get("origin")
    if origin is None:
        return {}
    if origin not in found.form.origins:
        raise Problem(403, detail="The form may not be sent from this origin.", headers={"vary": "Origin"})
    return {"access-control-allow-origin": origin, "vary": "Origin"}


def _values(kind: str, body: bytes) -> dict[str, str | list[str]]:
    """By field. Control characters are no text of a person's."""
    try:
        if kind == URLENCODED:
            found: dict[str, Any] = parse_qs(body.decode(), errors="strict", max_num_fields=MAX_FIELDS)
        elif kind == "application/json":
            found = orjson.loads(body)
        else:
            raise Problem(415, detail=f"Send {URLENCODED} or application/json.")
    except ValueError:
        raise Problem(400, "Unreadable", errors=[("body", f"is not {kind} in UTF-8, or has too many fields")]) from None
    if not isinstance(found, dict) or len(found) > MAX_FIELDS:
        raise Problem(400, "Unreadable", errors=[("body", "is no object of fields, or has too many")])
    return {name: _texts(name, value) for name, value in found.items() if value not in (None, False, "")}


def _texts(name: str, value: Any) -> str | list[str]:
    listed = value if isinstance(value, list) else [value]
    plain = [one for one in listed if not isinstance(one, dict | list)]
    texts = [one if isinstance(one, str) else orjson.dumps(one).decode() for one in plain]
    if len(texts) < len(listed) or any(map(has_control, texts)):
        raise Problem(422, "Not taken", errors=[(f"body.{name}", "is no text")])
    return texts[0] if len(texts) == 1 else texts
