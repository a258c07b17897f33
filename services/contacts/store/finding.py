"""Contacts found by name: a walk through ranges of the index of their keys.

The index has the keys, and behind each the contacts' number of registration: a walk ends when a page is full, however many
there are, and goes on where it has ended. Where something else is asked that few have, those are looked at instead, and come
in the same order.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from bson import MinKey
from pymongo import ASCENDING

from services.contacts.domain.values.search import (
    BEGINNING,
    Fit,
    Place,
    Range,
    Word,
    meant,
    place,
    ranges,
    slips,
    wanted,
)
from services.contacts.store.rows import number_of
from services.contacts.store.wanted import among
from shared import mongo
from shared.mongo import Collection, Document

BY_NAME = [("found_by", ASCENDING), ("number", ASCENDING)]
Bounds = list[tuple[str, Any]]
MEANT = 200
"""Contacts that are looked at for a slip."""
At = tuple[Place, str]
"""Where somebody stands in the order of all who are found: their place in it, and of one key the elder first."""


async def found(
    contacts: Collection, typed: str, after: At | None, limit: int, only: Document, narrow: Document | None = None
) -> list[tuple[At, Document]]:
    """So many documents of those who follow, the best fits first. `only`: what else must hold of them; `narrow`: a part of
    that which holds of few.
    """
    ways = ranges(typed)
    if narrow is not None:
        return await _among(contacts, typed, ways, after, limit, only, narrow)
    page: list[tuple[At, Document]] = []
    for number in range(after[0].range if after else 0, len(ways)):
        behind = after if after and after[0].range == number else None
        async for at, row in _walk(contacts, ways, number, behind, limit - len(page), only):
            page.append((at, row))
            if len(page) == limit:
                return page
    return page


async def _among(
    contacts: Collection,
    typed: str,
    ways: Sequence[Range],
    after: At | None,
    limit: int,
    only: Document,
    narrow: Document,
) -> list[tuple[At, Document]]:
    """The same page: all of those few are put in order."""
    rows = await _keys(contacts, narrow, {"$and": [only, whoever_fits(typed)]})
    found = sorted((at, row["number"], row["_id"]) for row in rows if (at := place(ways, set(row["found_by"]))))
    behind = (after[0], number_of(after[1]), after[1]) if after else None
    places = {one[2]: one[0] for one in found if behind is None or one > behind}
    return [((places[row["_id"]], row["_id"]), row) for row in await _first(contacts, list(places), limit)]


async def _keys(contacts: Collection, narrow: Document, asked: Document) -> list[Document]:
    """What is asked of a name and its order, of many at a time."""
    steps = [*among(narrow, {"place.root": None, **asked}), {"$project": {"found_by": 1, "number": 1}}]
    return await mongo.aggregate(contacts, steps)


async def _first(contacts: Collection, customers: Sequence[str], limit: int) -> list[Document]:
    """So many of them, in their order; who is gone meanwhile is passed over."""
    page: list[Document] = []
    while customers and len(page) < limit:
        some, customers = customers[: limit - len(page)], customers[limit - len(page) :]
        rows = {row["_id"]: row async for row in contacts.find({"_id": {"$in": list(some)}})}
        page += [rows[customer] for customer in some if customer in rows]
    return page


async def _walk(
    contacts: Collection, ways: Sequence[Range], number: int, after: At | None, size: int, only: Document
) -> AsyncIterator[tuple[At, Document]]:
    """Through one range, in pieces."""
    one, asked = ways[number], {"$and": [_asked(ways[number]), only]}
    low, since, passed = (after[0].key, number_of(after[1]), after[1]) if after else (one.low, -1, "")
    while True:
        begin: Bounds = [("found_by", low), ("number", since)]
        end: Bounds = [("found_by", one.high), ("number", MinKey())]
        cursor = contacts.find(asked).min(begin).max(end)
        size *= 2
        rows = [row async for row in cursor.hint(BY_NAME).limit(size)]
        for row in _behind(rows, since, passed):
            where = place(ways, set(row["found_by"]))
            # Once more, under a later key of theirs, come those of whom an earlier piece has told.
            if where and where.range == number and (where.key, row["number"]) >= (low, since):
                yield (where, row["_id"]), row
        last = rows[-1] if len(rows) == size else None
        # It came under the first of its keys that the walk had not passed.
        key = last and one.key(set(last["found_by"]), low if last["number"] >= since else low + "\0")
        if not (last and key):
            return
        low, since, passed = key, last["number"], last["_id"]


def _behind(rows: list[Document], since: int, passed: str) -> list[Document]:
    """Without those up to the one that was passed; registered in one instant, several may have its number."""
    same = [row["_id"] for row in rows if row["number"] == since]
    return rows[same.index(passed) + 1 :] if passed in same else rows


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


async def slipped(
    contacts: Collection, typed: str, limit: int, only: Document, narrow: Document | None = None
) -> list[Document]:
    """Who may have been meant, of the first so many that are looked at; of those who are in `narrow` all are."""
    keys = slips(typed)
    if not keys:
        return []
    if narrow is not None:
        few = await _keys(contacts, narrow, {"$and": [only, {"found_by": {"$in": keys}}]})
        found = sorted((row["number"], row["_id"]) for row in few if meant(typed, set(row["found_by"])))
        return await _first(contacts, [customer for _, customer in found], limit)
    rows = contacts.find({"$and": [{"found_by": {"$in": keys}}, only]}).hint(BY_NAME).limit(MEANT)
    return [row async for row in rows if meant(typed, set(row["found_by"]))][:limit]
