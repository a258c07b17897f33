"""Contacts who may be meant where nobody is called what was typed: one more range of the search, behind all others.

Its keys are hundreds, so it is read by all of them at once, in the order of the index, and of that so many entries a page and no more.
"""

from collections.abc import Iterable, Sequence

from services.contacts.domain.values.found import At
from services.contacts.domain.values.search import Place
from services.contacts.domain.values.slips import Slips
from services.contacts.store.finding import BY_NAME, Row, first_of, keys_of
from shared.mongo import Collection, Document

MEANT = 200
"""Entries of the index that are looked at for a page."""


async def slipped(
    contacts: Collection, slips: Slips, after: At | None, limit: int, only: Document
) -> tuple[list[Row], At | None]:
    """So many of those who follow, and where to go on. A page ends, full or not, where so many entries were looked at."""
    begin = after or At(Place(slips.range, ""), 0, "")
    entries = await _entries(contacts, slips, begin)
    stop = None
    if len(entries) > MEANT:
        # It came under the first of its keys that the page before had not passed.
        last = entries[MEANT]
        key = next(key for key in slips.keys if key >= begin.place.key and key in last["found_by"])
        stop = At(Place(slips.range, key), last["number"], "")
    found = [at for at in _meant(slips, entries) if begin < at and (stop is None or at < stop)]
    return await _page(contacts, await _having(contacts, found, only), limit, stop)


async def slipped_among(
    contacts: Collection, slips: Slips, after: At | None, limit: int, only: Document, narrow: Document
) -> tuple[list[Row], At | None]:
    """The same of those who are in `narrow`, who are few: all of them are put in order."""
    rows = await keys_of(contacts, narrow, {"$and": [only, {"found_by": {"$in": slips.keys}}]}) if slips.keys else []
    found = [at for at in _meant(slips, rows) if after is None or after < at]
    return await _page(contacts, found, limit, None)


async def _entries(contacts: Collection, slips: Slips, begin: At) -> list[Document]:
    """One more than a page looks at, of the key where it begins those from a number on. Some may come twice."""
    keys = [key for key in slips.keys if key >= begin.place.key]
    asked: list[Document] = []
    if keys and keys[0] == begin.place.key:
        asked.append({"found_by": keys.pop(0), "number": {"$gte": begin.number}})
    asked.append({"found_by": {"$in": keys}})
    entries: list[Document] = []
    for one in asked:
        if len(entries) <= MEANT:
            found = contacts.find(one, {"found_by": 1, "number": 1}).hint(BY_NAME).limit(MEANT + 1 - len(entries))
            entries += [row async for row in found]
    return entries


def _meant(slips: Slips, rows: Iterable[Document]) -> list[At]:
    """Where those who are meant stand, in their order, each once."""
    places = {(row["_id"], row["number"]): slips.place(set(row["found_by"])) for row in rows}
    return sorted(At(where, number, customer) for (customer, number), where in places.items() if where)


async def _having(contacts: Collection, found: Sequence[At], only: Document) -> list[At]:
    asked = {"$and": [{"_id": {"$in": [at.customer for at in found]}}, only]}
    having = {row["_id"] async for row in contacts.find(asked, {"_id": 1})}
    return [at for at in found if at.customer in having]


async def _page(contacts: Collection, found: Sequence[At], limit: int, stop: At | None) -> tuple[list[Row], At | None]:
    standing = {at.customer: at for at in found[:limit]}
    page = [(standing[row["_id"]], row) for row in await first_of(contacts, list(standing), limit)]
    return page, found[limit - 1] if len(found) > limit else stop
