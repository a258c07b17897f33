"""The route of access and portability: all that the platform holds on a customer, as JSON, as a page to read, or as an archive."""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from services.contacts.api.disclosure_archive import Archive
from services.contacts.api.disclosure_forms import Form, Json, written
from services.contacts.api.disclosure_page import NOTHING_RUNS, Page
from services.contacts.handlers.disclosing import Disclosing, Event
from services.contacts.handlers.seeing import Seeing
from shared.contracts.contacts import Contact
from shared.contracts.fact import CustomerId
from shared.held import SCOPE
from shared.security import TAKES_PURPOSE, Principal, require

Exporter = Annotated[Principal, Depends(require(SCOPE, rows=True))]
Format = Annotated[
    Literal["json", "html", "zip"],
    Query(description="`json` to take along, `html` to read; `zip`: both, and the documents that are attached."),
]
MEDIA = {"json": "application/json", "html": "text/html; charset=utf-8", "zip": "application/zip"}
FORMS: Mapping[str, Callable[[Contact, datetime], Form]] = {"json": Json, "html": Page}
NO_SCRIPTS = f"{NOTHING_RUNS}; frame-ancestors 'none'"


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
        off before `complete` is not whole; of an archive, one that cannot be opened. In an archive are `data.json`, `index.html`
        and `documents/`, where each document lies that the data name as `file`.
        """
        view = seeing.by(exporter)
        contact = await view.contact(customer_id)
        seen = ["*", "documents"] if format == "zip" else ["*"]
        await view.note("export", [contact.customer_id, *contact.absorbed], seen)
        events = exporting.all_of(contact, exporter.purpose)
        pieces = _pieces(format, contact, events, exporting)
        headers = {
            "content-disposition": f'attachment; filename="{contact.customer_id}.{format}"',
            "content-security-policy": NO_SCRIPTS,
        }
        return StreamingResponse(pieces, media_type=MEDIA[format], headers=headers)

    return routes


async def _pieces(
    form: str, contact: Contact, events: AsyncIterator[Event], exporting: Disclosing
) -> AsyncIterator[bytes]:
    now = datetime.now(UTC)
    if form == "zip":
        documents = await exporting.documents.of([contact.customer_id, *contact.absorbed])
        pieces = Archive(contact, now).written(events, documents, exporting.documents)
    else:
        pieces = written(FORMS[form](contact, now), events)
    async for piece in pieces:
        yield piece
