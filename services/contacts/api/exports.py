"""The route of exports: all contacts, or those of a search, as a file that is written while it is read."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from services.contacts.api.contacts import IdentifierText, SearchText
from services.contacts.domain.exporting import ALL, NoSuchField, fields_of
from services.contacts.formats.writing import ENDINGS, MEDIA, writer
from services.contacts.handlers import Handlers
from services.contacts.handlers.exporting import Exporting
from services.contacts.handlers.seeing import SEE_SENSITIVE, Seeing
from shared.contracts.fact import Identifier
from shared.http import Problem
from shared.security import TAKES_PURPOSE, Principal, require

Exporter = Annotated[Principal, Depends(require("contacts:export"))]
NOBODY = ""
"""No contact's id."""


def router(exporting: Exporting, handlers: Handlers, seeing: Seeing) -> APIRouter:
    """The route; to be included before those that take any word for an id."""
    routes = APIRouter(prefix="/v1/contacts", tags=["imports"], dependencies=[TAKES_PURPOSE])

    @routes.get("/export", summary="Export contacts", response_class=StreamingResponse)
    async def export_contacts(
        principal: Exporter,
        form: Annotated[Literal["csv", "xlsx", "vcard", "xml", "jsonl"], Query(alias="format")] = "csv",
        fields: Annotated[
            str | None,
            Query(
                max_length=5000, description="Comma-separated; absent: all. `attributes.shoe-size` is one attribute."
            ),
        ] = None,
        identifier: IdentifierText = None,
        search: SearchText = None,
    ) -> StreamingResponse:
        """Each contact is as it was when it was read. A file that breaks off is not whole; ask again.

        Imported again, an export of all fields changes nothing. Cells of CSV that a spreadsheet would take for a formula
        begin with `'`, which an import takes away. Sensitive fields are left out unless the key has `contacts:sensitive`.
        """
        try:
            wanted = fields_of(fields)
        except NoSuchField as error:
            message = f"{error} is no field; there are {', '.join(ALL)}"
            raise Problem(422, "No such field", errors=[("query.fields", message)]) from None
        only = None
        if identifier:
            scheme, value = identifier.split(":", 1)
            if not seeing.by(principal).may_ask(scheme):
                message = f"`{scheme}` is sensitive: the key lacks the scope `{SEE_SENSITIVE}`"
                raise Problem(403, "Sensitive identifier", errors=[("query.identifier", message)])
            found = await handlers.find(Identifier(scheme=scheme, value=value))
            only = found.customer_id if found else NOBODY
        headers = {"content-disposition": f'attachment; filename="contacts.{ENDINGS[form]}"'}
        body = exporting.export(writer(form, wanted), wanted, seeing.by(principal), search, only)
        return StreamingResponse(body, 200, headers, MEDIA[form])

    return routes
