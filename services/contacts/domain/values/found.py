"""A page of whom a search by name finds, and where it stands in the order of all of them. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from services.contacts.domain.values.search import Place
from shared.contracts.contacts import Contact


class At(NamedTuple):
    """Behind somebody, in the order of all who are found: their place in it, and of one key the elder first.

    `customer` is empty where a page has ended without somebody there: all with smaller numbers are passed, and nobody else.
    """

    place: Place
    number: int
    customer: str
    nobody: bool = False
    """Nobody was found up to here: where nobody follows either, somebody may be meant by a slip of the keyboard."""


class Found(NamedTuple):
    """Whom a page has, and where the next one begins. None: that was all."""

    contacts: Sequence[Contact]
    next: At | None
