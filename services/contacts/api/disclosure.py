"""The route of access and portability: all that the platform holds on a customer, as JSON or as a page to read."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from services.contacts.api.disclosure_page import as_html
from services.contacts.handlers.disclosing import Began, Disclosing, Event, Told
from services.contacts.handlers.seeing import Seeing
from shared.contracts.contacts import Contact
from shared.contracts.fact import CustomerId
from shared.held import SCOPE
from shared.security import TAKES_PURPOSE, Principal, require

Exporter = Annotated[Principal, Depends(require(SCOPE, rows=True))]
Format = Annotated[Literal["json", "html"], Query(description="`json` to take along, `html` to read.")]
MEDIA = {"json": "application/json", "html": "text/html; charset=utf-8"}
NO_SCRIPTS = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def router(seeing: Seeing, exporting: Disclosing) -> APIRouter:
    routes = APIRouter(prefix="/v1/contacts", tags=["privacy"], dependencies=[TAKES_PURPOSE])

    @routes.get(
        "/{customer_id}/export",
        response_class=StreamingResponse,
        responses={200: {"content": {kind.partition(";")[0]: {} for kind in MEDIA.values()}}},
        summary="Export all that is held on a customer, from every service",
    )
    async def export_customer(
        exporter: Exporter,
        customer_id: CustomerId,
        format: Format = "json",  # noqa: A002 - the word of the API
    ) -> StreamingResponse:
        """Of all ids of the customer, sensitive fields included. It comes as a stream, however much it is.

        A service that cannot answer is named, with the reason, under `missing`; `complete` is then false. An answer that breaks
        off before `complete` is not whole.
        """
        view = seeing.by(exporter)
        contact = await view.contact(customer_id)
        await view.note("export", [contact.customer_id, *contact.absorbed], ["*"])
        events = exporting.all_of(contact, exporter.purpose)
        now = datetime.now(UTC)
        pieces = as_html(contact, events, now) if format == "html" else as_json(contact, events, now)
        headers = {
            "content-disposition": f'attachment; filename="{contact.customer_id}.{format}"',
            "content-security-policy": NO_SCRIPTS,
        }
        return StreamingResponse(pieces, media_type=MEDIA[format], headers=headers)

    return routes


async def as_json(contact: Contact, events: AsyncIterator[Event], now: datetime) -> AsyncIterator[bytes]:
    """One document: `services` holds a list of sections each, in pieces; `missing` who could not answer, and why."""
    head = {"customer_id": contact.customer_id, "also_known_as": contact.absorbed, "made_at": now}
    yield orjson.dumps(head)[:-1] + b',"services":{'
    missing: dict[str, str] = {}
    between = b""
    async for event in events:
        match event:
            case Began(service):
                yield between + orjson.dumps(service) + b":["
                between = b""
            case Told(section, about, items):
                yield between + orjson.dumps({"section": section, "about": about, "items": items})
                between = b","
            case _:
                if event.missing is not None:
                    missing[event.service] = event.missing
                yield b"]"
                between = b","
    yield b'},"missing":%s,"complete":%s}' % (orjson.dumps(missing), orjson.dumps(not missing))
