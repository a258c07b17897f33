"""Contacts found by name: a walk through ranges of the index of their keys.

The index has the keys, and behind each the contacts' number of registration: a walk ends when a page is full, however many
there are, and goes on where it has ended. Where something else is asked that few have, those are looked at instead, and come
in the same order.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from bson import MinKey
from pymongo import ASCENDING

from services.contacts.domain.values.found import At
from services.contacts.domain.values.search import BEHIND, Fit, Place, Range, Word, place, ranges, wanted
from services.contacts.domain.values.words import BEGINNING
from services.contacts.store.wanted import FEW, among
from shared import mongo
from shared.mongo import Collection, Document

BY_NAME = [("found_by", ASCENDING), ("number", ASCENDING), ("digest", ASCENDING)]
Bounds = list[tuple[str, Any]]
ALIKE = 5_000
"""Entries of one sound that are looked at where the other words tell nothing by their sound: of a million, one in twenty may
sound like the most frequent name.
"""
Row = tuple[At, Document]


async def found(
    contacts: Collection,
    typed: str,
    after: At | None,
    limit: int,
    only: Document,
    examined: int | None = None,
    alike: int = ALIKE,
    few: int = FEW,
) -> tuple[list[Row], At | None]:
    """So many documents of those who follow, the best fits first, and where to go on. `only`: what else must hold of them.

    Where so many entries as `examined` were looked at, the page ends, full or not. Where one word alone says where they are, and that
    by its sound, those who have another word are looked at if they are `few`; else so many as `alike` for a page, and whoever is
    behind them is not offered.
    """
    ways = ranges(typed)
    page: list[Row] = []
    for number in range(after.place.range if after else 0, len(ways)):
        walk = Walk(contacts, ways, number, only)
        if after and after.place.range == number and not walk.goes_on(after):
            continue
        if ways[number].vague and (narrow := await _rarest(contacts, ways[number], few)):
            page += await _alike(walk, narrow, after, limit - len(page))
            if len(page) == limit:
                return page, page[-1][0]
            continue
        most = alike if examined is None and ways[number].vague else examined
        stop = await walk.ahead(most) if most is not None else None
        async for row in walk.rows(stop, limit - len(page)):
            page.append(row)
            if len(page) == limit:
                return page, row[0]
        if stop and examined is not None:
            return page, stop
    return page, None


async def found_among(
    contacts: Collection, typed: str, after: At | None, limit: int, only: Document, narrow: Document
) -> tuple[list[Row], At | None]:
    """The same of those who are in `narrow`, who are few: all of them are put in order."""
    found = await _places(contacts, ranges(typed), narrow, {"$and": [only, whoever_fits(typed)]})
    page = await _rows(contacts, [at for at in found if after is None or at > after], limit)
    return page, page[-1][0] if len(page) == limit else None


async def _alike(walk: "Walk", narrow: Document, after: At | None, limit: int) -> list[Row]:
    """Likewise those of one range."""
    found = await _places(walk.contacts, walk.ways, narrow, walk.asked)
    behind = [at for at in found if at.place.range == walk.number and (after is None or at > after)]
    return await _rows(walk.contacts, behind, limit)


async def _rarest(contacts: Collection, one: Range, few: int) -> Document | None:
    """Whoever has one of the words that do not say where the range is, if they are few."""
    for has, low, high in [(_has(word, one.fit), *_keys(word, one.fit)) for word in one.words]:
        if low != one.low:
            found = (
                contacts.find({}, return_key=True).min(_bound(low, MinKey())).max(_bound(high, MinKey())).hint(BY_NAME)
            )
            if not [entry async for entry in found.skip(few).limit(1)]:
                return has
    return None


async def _places(contacts: Collection, ways: Sequence[Range], narrow: Document, asked: Document) -> list[At]:
    """Of those in `narrow` who have what is asked, where they stand, in their order."""
    rows = await keys_of(contacts, narrow, asked)
    places = [(place(ways, set(row["found_by"])), row["number"], row["_id"]) for row in rows]
    return sorted(At(where, number, customer) for where, number, customer in places if where)


async def _rows(contacts: Collection, found: Sequence[At], limit: int) -> list[Row]:
    left = {at.customer: at for at in found}
    return [(left[row["_id"]], row) for row in await first_of(contacts, list(left), limit)]


async def keys_of(contacts: Collection, narrow: Document, asked: Document) -> list[Document]:
    """What is asked of a name and its order, of many at a time."""
    steps = [*among(narrow, {"place.root": None, **asked}), {"$project": {"found_by": 1, "number": 1}}]
    return await mongo.aggregate(contacts, steps)


async def first_of(contacts: Collection, customers: Sequence[str], limit: int) -> list[Document]:
    """So many of them, in their order; who is gone meanwhile is passed over."""
    page: list[Document] = []
    while customers and len(page) < limit:
        some, customers = customers[: limit - len(page)], customers[limit - len(page) :]
        rows = {row["_id"]: row async for row in contacts.find({"_id": {"$in": list(some)}})}
        page += [rows[customer] for customer in some if customer in rows]
    return page


class Walk:
    """A walk through one range of the index, from where it is got: all before `low`, and of `low` before `since`, is passed;
    and of those who have the number `since`, as several of one instant may have, all up to `passed`.
    """

    def __init__(self, contacts: Collection, ways: Sequence[Range], number: int, only: Document) -> None:
        self.contacts, self.ways, self.number = contacts, ways, number
        self.range = ways[number]
        self.asked = {"$and": [_asked(self.range), only]}
        self.low, self.since, self.passed = self.range.low, -1, ""

    def goes_on(self, after: At) -> bool:
        """Begin behind this place. False: nothing of the range is behind it, nor was it ever a place in it."""
        self.low, self.since, self.passed = max(after.place.key, self.range.low), after.number, after.customer
        return self.low < self.range.high

    async def ahead(self, entries: int) -> At | None:
        """Where it will be after so many entries; None: the range ends before. Read from the index alone."""
        found = self.contacts.find({}, return_key=True).min(self._begin).max(self._end).hint(BY_NAME)
        keys = [entry async for entry in found.skip(entries).limit(1)]
        return At(Place(self.number, keys[0]["found_by"]), keys[0]["number"], "") if keys else None

    async def keys(self, most: int) -> list[Document]:
        """What the index has of the next ones, of whom nothing else is read."""
        found = self.contacts.find({}, return_key=True).min(self._begin).max(self._end).hint(BY_NAME)
        return await found.limit(most).batch_size(most).to_list(None)

    async def rows(self, stop: At | None, size: int) -> AsyncIterator[Row]:
        """In pieces, each twice as large as the one before."""
        end = _bound(stop.place.key, stop.number) if stop else self._end
        while True:
            low, since = self.low, self.since
            size *= 2
            found = self.contacts.find(self.asked).min(self._begin).max(end).hint(BY_NAME)
            rows = [row async for row in found.limit(size)]
            for row in _behind(rows, since, self.passed):
                where = place(self.ways, set(row["found_by"]))
                # Once more, under a later key of theirs, come those of whom an earlier piece has told.
                if where and where.range == self.number and (where.key, row["number"]) >= (low, since):
                    yield At(where, row["number"], row["_id"]), row
            last = rows[-1] if len(rows) == size else None
            # It came under the first of its keys that the walk had not passed.
            key = last and self.range.key(set(last["found_by"]), low if last["number"] >= since else low + "\0")
            if not (last and key):
                return
            self.low, self.since, self.passed = key, last["number"], last["_id"]

    @property
    def _begin(self) -> Bounds:
        return _bound(self.low, self.since)

    @property
    def _end(self) -> Bounds:
        return _bound(self.range.high, MinKey())


def _bound(key: str, number: int | MinKey) -> Bounds:
    """Before all who have this key and this number."""
    return [("found_by", key), ("number", number), ("digest", MinKey())]


def _behind(rows: list[Document], since: int, passed: str) -> list[Document]:
    """Without those up to the one that was passed; registered in one instant, several may have its number."""
    same = [row["_id"] for row in rows if row["number"] == since]
    return rows[same.index(passed) + 1 :] if passed in same else rows


def _keys(word: Word, at: Fit) -> tuple[str, str]:
    """Where in the index those stand who have a word so well."""
    if at is Fit.SOUND and word.sound:
        return word.sound, word.sound + "\0"
    return word.text, word.text + BEHIND


def _asked(one: Range) -> dict[str, Any]:
    better = [{"$and": [_has(word, fit) for word in one.words]} for fit in _better(one)]
    return {"$and": [_has(word, one.fit) for word in one.words]} | ({"$nor": better} if better else {})


def _better(one: Range) -> list[Fit]:
    """Whoever fits so is found by an earlier range; the database leaves them out, as they may be many."""
    if one.fit is Fit.BEGUN:
        return [Fit.WHOLE]
    all_found = len(one.words) == 1 or all(len(word.short) >= BEGINNING for word in one.words[:2])
    return [Fit.BEGUN] if one.fit is Fit.SOUND and all_found else []


def _has(word: Word, at: Fit) -> dict[str, Any]:
    """What `Word.fits` says. Letters and digits only, so that the pattern is what it looks like."""
    if at is Fit.WHOLE:
        return {"found_by": word.text}
    if at is Fit.SOUND and word.sound:
        return {"found_by": word.sound}
    return {"found_by": {"$regex": f"^{word.text}"}}


def whoever_fits(typed: str) -> Document:
    """A condition for all who have all the words, begun or as they sound, in whatever order they are read."""
    ways = [[_has(word, fit) for word in words] for words in wanted(typed) for fit in (Fit.BEGUN, Fit.SOUND)]
    return {"$or": [{"$and": words} for words in ways]} if ways else {"_id": {"$in": []}}
