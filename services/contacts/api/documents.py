"""The routes of documents attached to contacts."""

from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from services.contacts.api.entering import author
from services.contacts.domain.documents import Document, Scan
from services.contacts.domain.survivorship import milliseconds
from services.contacts.handlers.attaching import Attaching, Attachment
from services.contacts.handlers.seeing import Seeing, View
from shared.contracts.fact import Code, CustomerId, Name, Uuid7
from shared.contracts.sensitive import SEE_SENSITIVE
from shared.http import Page
from shared.messaging import Messaging, Unit
from shared.security import TAKES_PURPOSE, Principal, lacks, require

Reader = Annotated[Principal, Depends(require("contacts:read", rows=True))]
Writer = Annotated[Principal, Depends(require("contacts:write", rows=True))]
SENSITIVE = ("documents",)
"""What the audit trail calls it."""
FileName = Annotated[str, Query(min_length=1, max_length=255, description="As the file is called; it is cleaned.")]
BYTES = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class DocumentBody(BaseModel):
    """A document attached to a contact."""

    model_config = ConfigDict(from_attributes=True)

    document_id: str
    customer_id: Annotated[str, Field(description="The contact that it was attached to, merged or not.")]
    name: str
    title: str | None
    kind: str | None
    type: Annotated[str, Field(description="As its bytes say.")]
    size: Annotated[int, Field(description="In bytes.")]
    sha256: Annotated[
        str | None,
        Field(description="Null, of what is sensitive, without the scope for it: a short text is guessed by it."),
    ]
    scan: Annotated[Scan, Field(description="`unscanned`: no virus scanner is set.")]
    source: str
    attached_at: datetime
    sensitive: Annotated[bool, Field(description=f"Whether its bytes are for keys with `{SEE_SENSITIVE}` only.")]


class Marking(BaseModel):
    """What is said of a document that is there."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"sensitive": True}]})

    sensitive: StrictBool


def router(attaching: Attaching, seeing: Seeing, messaging: Messaging) -> APIRouter:
    """The routes, over the use cases. Documents are of a contact: who may not see it has none of them."""
    routes = APIRouter(prefix="/v1/contacts/{customer_id}/documents", tags=["documents"], dependencies=[TAKES_PURPOSE])

    @routes.post("", status_code=201, summary="Attach a document", openapi_extra=BYTES)
    async def attach_document(
        principal: Writer,
        customer_id: CustomerId,
        request: Request,
        response: Response,
        name: FileName,
        title: Annotated[Name | None, Query()] = None,
        kind: Annotated[
            Code | None, Query(description="`contract`, `letter`: a word that the company agrees on.")
        ] = None,
        sensitive: Annotated[
            bool, Query(description="Whether only some keys may read it: an identity card, a diagnosis.")
        ] = False,
    ) -> DocumentBody:
        """The body is the document's bytes; sent again under the same name it is the document that is there, and sensitive if it was
        so or is said to be. What type it is its bytes say, and only papers, pictures and office documents without macros are taken
        (415). 413 if it is too large, 422 if the scanner finds something, 503 if a scanner is set and away.
        """
        view = seeing.by(principal)
        await view.contact(customer_id)
        said = Attachment(name, author(principal).source, title, kind, sensitive)
        document = await attaching.attach(customer_id, said, request.stream(), milliseconds(datetime.now(UTC)))
        response.headers["location"] = f"/v1/contacts/{customer_id}/documents/{document.document_id}"
        return _body(document, view)

    @routes.get("", summary="List the documents of a contact")
    async def list_documents(principal: Reader, customer_id: CustomerId) -> Page[DocumentBody]:
        """The earliest first, of all contacts that are part of this one; on one page. Sensitive ones are listed too."""
        view = seeing.by(principal)
        await view.contact(customer_id)
        return Page(items=[_body(one, view) for one in await attaching.listed(customer_id)])

    @routes.get("/{document_id}", response_class=Response, summary="Download a document")
    async def download_document(principal: Reader, customer_id: CustomerId, document_id: Uuid7) -> Response:
        """Whoever does is in the audit trail: nobody knows what a paper says, and it may be a passport. One that is said to be
        sensitive needs `contacts:sensitive`.
        """
        view = seeing.by(principal)
        await view.contact(customer_id)
        document = await attaching.find(customer_id, document_id)
        if document.sensitive and not view.open:
            raise lacks(SEE_SENSITIVE)
        await view.note("document", [document.customer_id], SENSITIVE if document.sensitive else ())
        return StreamingResponse(
            attaching.documents.read(document_id), media_type=document.type, headers=_safe(document)
        )

    @routes.patch("/{document_id}", summary="Say whether a document is sensitive")
    async def mark_document(
        principal: Writer, customer_id: CustomerId, document_id: Uuid7, marking: Marking
    ) -> DocumentBody:
        """That it is anybody may say who may change the contact. That it is not takes `contacts:sensitive` as well, and whoever says
        it is in the audit trail.
        """
        view = seeing.by(principal)
        await view.contact(customer_id)
        if not marking.sensitive:
            if not view.open:
                raise lacks(SEE_SENSITIVE)
            await view.note("document-opened", [customer_id], SENSITIVE)

        async def change(unit: Unit) -> Document:
            return await attaching.mark(unit, customer_id, document_id, sensitive=marking.sensitive)

        return _body(await messaging.transact(change), view)

    @routes.delete("/{document_id}", status_code=204, summary="Delete a document")
    async def delete_document(principal: Writer, customer_id: CustomerId, document_id: Uuid7) -> Response:
        """For good."""
        await seeing.by(principal).contact(customer_id)
        await attaching.remove(customer_id, document_id)
        return Response(status_code=204)

    return routes


def _body(document: Document, view: View) -> DocumentBody:
    shown = DocumentBody.model_validate(document)
    return shown if view.open or not document.sensitive else shown.model_copy(update={"sha256": None})


def _safe(document: Document) -> dict[str, str]:
    """A browser saves it and runs nothing of it; `nosniff` has every answer. Names as RFC 6266 and RFC 8187 have them."""
    return {
        "content-disposition": f"attachment; filename=\"document\"; filename*=UTF-8''{quote(document.name, safe='')}",
        "content-length": str(document.size),
        "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
        "etag": f'"{document.sha256}"',
    }
