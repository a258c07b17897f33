"""What the holder of a key enters, at which version, and as whom they speak."""

from typing import Annotated

from fastapi import Header

from services.contacts.api.bodies import NewContact
from services.contacts.domain.access import Rows
from services.contacts.domain.changes import Author
from services.contacts.handlers import Said
from shared.contracts.contacts import Contact
from shared.security import Principal

IfMatch = Annotated[
    str | None, Header(pattern=r'^(W/)?"[1-9][0-9]{0,17}"$', description='The `ETag` that was read, such as `"3"`.')
]


def entered(principal: Principal, body: NewContact) -> Said:
    """What the holder of a key enters."""
    source = author(principal).source
    origin = source if principal.channel_id else None
    given = frozenset(body.model_fields_set)
    return Said(body, source, given, body.said_at, origin, principal.name, body.reason, rows_of(principal))


def author(principal: Principal, reason: str | None = None) -> Author:
    """As whom they speak."""
    source = f"/channels/{principal.channel_id}" if principal.channel_id else f"/keys/{principal.key_id}"
    return Author(source, principal.name, reason)


def rows_of(principal: Principal) -> Rows:
    """The contacts that they are limited to."""
    return Rows(principal.territories, principal.owners)


def etag(contact: Contact) -> str:
    """For `If-Match`."""
    return f'"{contact.version}"'


def version_of(if_match: str | None) -> int | None:
    """The one that was read."""
    return int(if_match.removeprefix("W/").strip('"')) if if_match else None
