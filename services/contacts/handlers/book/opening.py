"""Books are opened here: whom a transaction is about, with all whom they were found to be."""

from collections.abc import Collection
from datetime import datetime

from services.contacts.domain.access import Rows
from services.contacts.handlers.book.book import Book
from services.contacts.handlers.book.store import Store
from services.contacts.handlers.errors import NoSuchContact
from shared.messaging import Unit


async def open_book(
    store: Store, unit: Unit, customers: Collection[str], now: datetime, country: str | None = None
) -> Book:
    """A book of these customers and of all whom they were found to be. Those who are alone cost nothing more."""
    rules = await store.rulebook.current()
    loaded = await store.load(customers, unit.session) if customers else {}
    roots = {known.place.root for known in loaded.values() if known.place.root} - loaded.keys()
    if roots:
        loaded |= await store.load(roots, unit.session)
    members = {member for known in loaded.values() for member in known.place.members} - loaded.keys()
    if members:
        loaded |= await store.load(members, unit.session)
    return Book(unit, loaded, now, country, rules)


async def open_seen(
    store: Store, unit: Unit, customer: str, rows: Rows, now: datetime, country: str | None = None
) -> Book:
    """A book of a customer who is to be seen. Raises NoSuchContact."""
    book = await open_book(store, unit, {customer}, now, country)
    if customer not in book.current or not rows.sees(book.current[book.root(customer)].published):
        raise NoSuchContact(customer)
    return book
