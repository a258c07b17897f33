"""What the errors of contacts are to a client: the one place where they become a status."""

from collections.abc import Callable
from typing import Any

from fastapi import Request

from services.contacts.domain.survivorship import TooManyConsents
from services.contacts.handlers import IdentifierTaken, NoSuchContact, VersionMismatch
from shared.http import Problem


def _taken(_: Request, error: IdentifierTaken) -> Problem:
    return Problem(
        409,
        "Identifier taken",
        f"`{error.identifier}` belongs to /v1/contacts/{error.customer_id}.",
        errors=[("body", "identifies a contact that is registered already")],
        headers={"location": f"/v1/contacts/{error.customer_id}"},
    )


def _other_version(request: Request, error: VersionMismatch) -> Problem:
    by_header = "if-match" in request.headers
    field = "header.If-Match" if by_header else "body.version"
    return Problem(
        412 if by_header else 409,
        "Another version",
        f"The contact is at version {error.current}. Read it again and decide again.",
        errors=[(field, f"is not the current version, {error.current}")],
    )


PROBLEMS: dict[type[Exception], Callable[[Request, Any], Problem]] = {
    NoSuchContact: lambda _, error: Problem(404, detail=f"There is no contact {error}."),
    IdentifierTaken: _taken,
    VersionMismatch: _other_version,
    TooManyConsents: lambda _, error: Problem(422, "Too many consents", errors=[("body.consents", str(error))]),
}
