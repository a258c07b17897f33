"""What the errors of contacts are to a client: the one place where they become a status."""

from collections.abc import Callable
from typing import Any

from fastapi import Request

from services.contacts.domain.barring import OverAlready, TooManyBars
from services.contacts.domain.changes import HistoryErased, NotKnownThen
from services.contacts.domain.documents import NotAllowed
from services.contacts.domain.fields import FIELD_REASONS
from services.contacts.domain.merging import TooManyMembers
from services.contacts.domain.preferences import NotOffered
from services.contacts.domain.signing import BadToken, TokenExpired
from services.contacts.domain.survivorship import TooManyConsents
from services.contacts.handlers import (
    AlreadyMerged,
    IdentifierTaken,
    NoSuchContact,
    NoSuchMerge,
    NoSuchPair,
    OutOfSight,
    SameContact,
    VersionMismatch,
)
from services.contacts.handlers.attaching import Infected, NoSuchDocument, ScannerAway, TooLarge, TooManyDocuments
from services.contacts.handlers.catalogue import UnfitFields
from services.contacts.handlers.confirming import NoSuchConfirmation, TooManyWaiting
from services.contacts.handlers.defining import NoSuchField, NotNow, ValuesDoNotFit
from services.contacts.handlers.erasing import NoSuchErasure
from services.contacts.handlers.hierarchies import NoHousehold
from services.contacts.handlers.linking import NoSuchLink, Unlinkable
from services.contacts.handlers.reassigning import NoSuchReassignment
from services.contacts.handlers.rotating import KeySigns, NoSuchKey, TooManyKeys
from services.contacts.handlers.ruling import TooManyRules, UnfitRule
from services.contacts.handlers.staging import HasBought
from shared.http import Problem


def _taken(_: Request, error: IdentifierTaken) -> Problem:
    errors = [("body", "identifies a contact that is registered already")]
    if error.customer_id is None:
        return Problem(409, "Identifier taken", f"`{error.identifier}` belongs to another contact.", errors=errors)
    return Problem(
        409,
        "Identifier taken",
        f"`{error.identifier}` belongs to /v1/contacts/{error.customer_id}.",
        errors=errors,
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


def _absorbed(request: Request) -> str:
    """Where the request names who is to be merged."""
    return "path.pair" if "pair" in request.path_params else "body.absorbed"


def _merged(request: Request, error: AlreadyMerged) -> Problem:
    field = "path.customer_id" if request.path_params.get("customer_id") == error.customer_id else _absorbed(request)
    return Problem(
        409,
        "Merged already",
        f"The contact {error.customer_id} was merged into /v1/contacts/{error.root}.",
        errors=[(field, f"is part of {error.root}; name that one, or undo its merge")],
        headers={"location": f"/v1/contacts/{error.root}"},
    )


def _unlinkable(_: Request, error: Unlinkable) -> Problem:
    field = "path.kind" if error.word == "wrong-party" else "path.other_id"
    return Problem(422, "Cannot be linked", errors=[(field, str(error))])


def _unfit(_: Request, error: UnfitFields) -> Problem:
    words = {name: FIELD_REASONS[reason] for name, reason in error.reasons.items()}
    return Problem(422, errors=[(f"body.attributes.{name}", why) for name, why in words.items()])


def _values_do_not_fit(_: Request, error: ValuesDoNotFit) -> Problem:
    counted = ", ".join(f"{count} {reason}" for reason, count in sorted(error.reasons.items()))
    detail = f"{error.count} contacts have values that the field would not take: {counted}."
    return Problem(409, "Values do not fit", detail, errors=[("body.type", "does not fit the values there are")])


PROBLEMS: dict[type[Exception], Callable[[Request, Any], Problem]] = {
    NoSuchContact: lambda _, error: Problem(404, detail=f"There is no contact {error}."),
    IdentifierTaken: _taken,
    VersionMismatch: _other_version,
    NoSuchErasure: lambda _, error: Problem(404, detail=f"There is nothing to read of an erasure {error}."),
    NoSuchMerge: lambda _, error: Problem(404, detail=f"There is no merge {error}."),
    NoSuchPair: lambda _, error: Problem(404, detail=f"The queue has no pair {error}."),
    AlreadyMerged: _merged,
    SameContact: lambda *_: Problem(422, "The same contact", errors=[("body.absorbed", "is the survivor itself")]),
    TooManyMembers: lambda request, error: Problem(422, "Too many contacts", errors=[(_absorbed(request), str(error))]),
    OutOfSight: lambda *_: Problem(
        422,
        "Out of sight",
        "The key is limited to the contacts of some territories or owners, and must not put one outside of them.",
        errors=[("body", "`territory` and `owner` must be among those of the key")],
    ),
    NotKnownThen: lambda *_: Problem(
        404, "Not known then", errors=[("query.as_of", "nothing is known of the contact as of that time")]
    ),
    HistoryErased: lambda *_: Problem(
        410, "Erased", errors=[("query.as_of", "what was known at that time has been erased")]
    ),
    UnfitFields: _unfit,
    ValuesDoNotFit: _values_do_not_fit,
    NoSuchField: lambda _, error: Problem(404, detail=f"There is no field {error}."),
    NotNow: lambda _, error: Problem(409, "Not possible now", errors=[("path.name", str(error))]),
    UnfitRule: lambda _, error: Problem(422, errors=[("body.rule", str(error))]),
    TooManyRules: lambda _, error: Problem(409, "Too many rules", errors=[("path.field", str(error))]),
    NoSuchReassignment: lambda _, error: Problem(404, detail=f"There is no reassignment {error}."),
    NotAllowed: lambda _, error: Problem(415, detail=f"Documents of this type are not attached: {error}."),
    TooLarge: lambda _, error: Problem(413, detail=f"A document has at most {error} bytes."),
    TooManyDocuments: lambda _, error: Problem(409, "Too many", f"A contact has at most {error} documents."),
    Infected: lambda _, error: Problem(422, "Infected", f"The virus scanner has found {error}."),
    ScannerAway: lambda *_: Problem(503, detail="The virus scanner does not answer. Try again."),
    NoSuchDocument: lambda _, error: Problem(404, detail=f"The contact has no document {error}."),
    NoSuchLink: lambda _, error: Problem(404, detail=f"The contact has no such link: {error}."),
    Unlinkable: _unlinkable,
    HasBought: lambda *_: Problem(409, "Has bought", errors=[("body.stage", "whoever has bought is a customer")]),
    NoHousehold: lambda _, error: Problem(409, "No household", f"The contact is of another kind: {error}."),
    NoSuchConfirmation: lambda _, error: Problem(404, detail=f"There is no confirmation {error}, or it is over."),
    TooManyWaiting: lambda _, error: Problem(
        409,
        "Too many",
        f"At most {error} confirmations of a customer wait at a time.",
    ),
    OverAlready: lambda *_: Problem(422, "Over already", errors=[("body.until", "must lie ahead")]),
    TooManyBars: lambda _, error: Problem(409, "Too many", f"A contact is barred on at most {error} channels by name."),
    NoSuchKey: lambda _, error: Problem(404, detail=f"There is no key {error} of links."),
    KeySigns: lambda *_: Problem(
        409, "Signs", errors=[("path.number", "is the key that signs; make another one first")]
    ),
    TooManyKeys: lambda _, error: Problem(409, "Too many keys", f"There are {error} keys of links."),
    BadToken: lambda *_: Problem(404, detail="The link is not valid."),
    TokenExpired: lambda *_: Problem(410, "Link expired", "The link is over. Ask for another one."),
    NotOffered: lambda _, error: Problem(422, errors=[(f"body.{error.field}", "was not offered")]),
    TooManyConsents: lambda _, error: Problem(422, "Too many consents", errors=[("body.consents", str(error))]),
}
