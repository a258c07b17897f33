"""Contacts found by name of whom something else is asked, too: a walk through the index of names that reads the keys alone, and
behind each the digest of what its contact has; of the contacts only those whose digest passes.
"""

from collections.abc import Sequence

from services.contacts.domain.digest import Passes
from services.contacts.domain.values.found import At
from services.contacts.domain.values.search import Place, place, ranges
from services.contacts.store.finding import BY_NAME, Row, Walk
from shared.mongo import Collection, Document

PIECE = 500
"""Keys that are read at first. Each piece is four times as large as the one before."""
READ = 30
"""Contacts that are read at a time, by their keys and their numbers: each number is looked for under each key."""


async def found(
    contacts: Collection, typed: str, after: At | None, limit: int, only: Document, passes: Passes, examined: int
) -> tuple[list[Row], At | None]:
    """As `finding.found`. The page ends where so many keys as `examined` were looked at, and some more if there are several ranges."""
    ways, page, left = ranges(typed), list[Row](), examined
    for number in range(after.place.range if after else 0, len(ways)):
        walk = Walk(contacts, ways, number, only)
        if after and after.place.range == number and not walk.goes_on(after):
            continue
        rows, stop, looked = await _sifted(walk, passes, after, limit - len(page), left)
        page += rows
        if stop:
            return page, stop
        left = max(left - looked, min(PIECE, examined))
    return page, None


async def _sifted(
    walk: Walk, passes: Passes, after: At | None, limit: int, examined: int
) -> tuple[list[Row], At | None, int]:
    """So many of those who follow in this range, where to go on if it has not ended, and how many keys were looked at."""
    page: list[Row] = []
    looked, size = 0, PIECE
    while True:
        size = min(size, examined - looked) if looked < examined else size
        keys = await walk.keys(size + 1)
        looked += min(len(keys), size)
        held = dict.fromkeys(_entry(key) for key in keys if passes(key.get("digest")))
        more = _entry(keys[size]) if len(keys) > size else None
        # Registered in one instant, several may have the same name and number: they are looked at together.
        left = [entry for entry in held if entry != more]
        while left:
            some, left = left[:READ], left[READ:]
            page += [row for row in await _read(walk, some) if after is None or row[0] > after]
            if len(page) >= limit:
                return page[:limit], page[limit - 1][0], looked
        if more is None:
            return page, None, looked
        stop = At(Place(walk.number, more[0]), more[1], "")
        if looked >= examined and more != _entry(keys[0]):
            return page, stop, looked
        walk.goes_on(stop)
        size *= 4


def _entry(key: Document) -> tuple[str, int]:
    return key["found_by"], key["number"]


async def _read(walk: Walk, held: Sequence[tuple[str, int]]) -> list[Row]:
    """Those of whom these are the first keys in the range, in their order: under a later one they have been offered already."""
    keys, numbers = {key for key, _ in held}, {number for _, number in held}
    asked = {"$and": [{"found_by": {"$in": sorted(keys)}, "number": {"$in": sorted(numbers)}}, walk.asked]}
    rows = [row async for row in walk.contacts.find(asked).hint(BY_NAME)]
    meant = {(Place(walk.number, key), number) for key, number in held}
    places = [(place(walk.ways, set(row["found_by"])), row) for row in rows]
    found = [(At(at, row["number"], row["_id"]), row) for at, row in places if at and (at, row["number"]) in meant]
    return sorted(found, key=lambda one: one[0])
