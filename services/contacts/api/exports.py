"""The route of exports: all contacts, or those of a search, as a file that is written while it is read."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from services.contacts.api.contacts import IdentifierText, SearchText
from services.contacts.api.wanted import TraitsAsked, wanted_of
from services.contacts.domain.exporting import ALL, NoSuchField, fields_of
from services.contacts.formats.writing import ENDINGS, MEDIA, writer
from services.contacts.handlers import Handlers
from services.contacts.handlers.exporting import Asked, Exporting
from services.contacts.handlers.seeing import Seeing, View
from shared.contracts.fact import Identifier
from shared.contracts.sensitive import SEE_SENSITIVE
from shared.http import Problem
from shared.security import TAKES_PURPOSE, Principal, require

Exporter = Annotated[Principal, Depends(require("contacts:export", rows=True))]
NOBODY = ""
"""No contact's id."""


def router(exporting: Exporting, handlers: Handlers, seeing: Seeing) -> APIRouter:
    """The route; to be included before those that take any word for an id."""
    routes = APIRouter(prefix="/v1/contacts", tags=["imports"], dependencies=[TAKES_PURPOSE])

    @routes.get("/export", summary="Export contacts", response_class=StreamingResponse)
    async def export_contacts(
        principal: Exporter,
        request: Request,
        traits: TraitsAsked,
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
        """Of all contacts, or of those who have all that is asked for, as a search for the same finds them, but nobody for a slip of
        the keyboard: a name, any trait, and up to five searchable fields as `field.loyalty_tier=gold`. Keys that are limited to
        some contacts get those.

        Each contact is as it was when it was read. A file that breaks off is not whole; ask again.

        Imported again, an export of all fields changes nothing. Cells of CSV that a spreadsheet would take for a formula
        begin with `'`, which an import takes away. Sensitive fields are left out unless the key has `contacts:sensitive`.
        """
        try:
            columns = fields_of(fields)
        except NoSuchField as error:
            message = f"{error} is no field; there are {', '.join(ALL)}"
            raise Problem(422, "No such field", errors=[("query.fields", message)]) from None
        view = seeing.by(principal)
        only = await _of_identifier(identifier, handlers, view) if identifier else None
        wanted = await wanted_of(traits, request, handlers.catalogue, view, handlers.clock)
        headers = {"content-disposition": f'attachment; filename="contacts.{ENDINGS[form]}"'}
        body = exporting.export(writer(form, columns), columns, view, Asked(search, wanted, only))
        return StreamingResponse(body, 200, headers, MEDIA[form])

    return routes


async def _of_identifier(identifier: str, handlers: Handlers, view: View) -> str:
    """Whose it is. Raises Problem."""
    scheme, value = identifier.split(":", 1)
    if not view.may_ask(scheme):
        message = f"`{scheme}` is sensitive: the key lacks the scope `{SEE_SENSITIVE}`"
        raise Problem(403, "Sensitive identifier", errors=[("query.identifier", message)])
    found = await handlers.find(Identifier(scheme=scheme, value=value))
    return found.customer_id if found else NOBODY
