"""What interactions keeps of a customer, how it is removed, and what the law may want kept of it.

A new collection that says something about customers gets a line in `steps`; any other is named in `HOLDS_NONE`.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime

from bson import ObjectId
from pymongo import ASCENDING, ReplaceOne

from services.interactions.domain.keeping import KeptSales
from services.interactions.domain.traces import Traces, mentions
from shared.audit import COLLECTION as AUDIT, WHO_ASKED
from shared.contracts.erasures import Kept
from shared.erasing import Delete, Step, Work
from shared.erasing.steps import PIECE
from shared.links import naming
from shared.messaging import Unit
from shared.mongo import Database, Document

HOLDS_NONE = {
    "figures": "sums over everybody",
    "sealed": "amounts that the law wants kept, under nobody's id",
    AUDIT: WHO_ASKED,
}
SEALED = "sealed"
ERASED = "erased"
"""What is left of a line of the history is a digest of its event's id, so that the event sent again is known."""
AMOUNTS = ("channel", "order", "return", "at", "kind", "currency", "total", "discount", "returned", "cancelled_at")
"""Of a sale: no customer, no goods."""
PAGE = 200
FindTraces = Callable[[str], Awaitable[Traces | None]]


def steps(database: Database, traces_of: FindTraces, sales: KeptSales | None) -> list[Step]:
    return [Lines(sales), Delete("links", naming), Refused(database, traces_of)]


def kept(sales: KeptSales | None) -> Callable[[datetime, dict[str, int]], list[Kept]]:
    """What the receipt says, if anything of the customer is kept."""

    def said(now: datetime, removed: dict[str, int]) -> list[Kept]:
        if sales is None or not removed.get("history"):
            return []
        return [Kept(what="sales-amounts", basis=sales.basis, until=sales.until(now))]

    return said


async def prepare(database: Database) -> None:
    """What the law wants kept is forgotten by the database itself when its time is over."""
    await database[SEALED].create_index([("until", ASCENDING)], expireAfterSeconds=0)


class Cached:
    """Whose an identifier is, as instances tell each other. It would run out by itself, but after the receipt."""

    collections: Sequence[str] = ()

    def __init__(self, forget: Callable[[Collection[str]], Awaitable[None]]) -> None:
        self._forget = forget

    async def begin(self, work: Work) -> None:
        """Raises while the cache is away: then the erasure waits for it."""
        await self._forget(work.customers)

    async def piece(self, unit: Unit, work: Work) -> int:  # noqa: ARG002 - a step as the others are
        """It is in no database."""
        return 0


class Lines:
    """The history. Amounts are sealed first, if the installation keeps them."""

    collections: Sequence[str] = ("history", SEALED)

    def __init__(self, sales: KeptSales | None) -> None:
        self._sales = sales

    async def begin(self, work: Work) -> None:
        """Nothing to find out."""

    async def piece(self, unit: Unit, work: Work) -> int:
        history = unit.database["history"]
        found = history.find({"customer": {"$in": list(work.customers)}}, session=unit.session).limit(PIECE)
        rows = [row async for row in found]
        if not rows:
            return 0
        if self._sales and (amounts := [_sealed(row, self._sales) for row in rows if "total" in row]):
            await unit.database[SEALED].insert_many(amounts, ordered=False, session=unit.session)
        # No line of the history any more, as what waits for its order is none yet.
        bare = [ReplaceOne({"_id": row["_id"]}, {"waiting": ERASED}) for row in rows]
        await history.bulk_write(bare, ordered=False, session=unit.session)
        return len(rows)


def _sealed(row: Document, sales: KeptSales) -> Document:
    amounts = {name: row[name] for name in AMOUNTS if name in row}
    if "of" in row:
        amounts["of"] = row["of"]["order"]
    until = sales.until(max(row["at"], datetime.fromtimestamp(0, UTC)))
    return {"_id": ObjectId(), **amounts, "basis": sales.basis, "until": until}


class Refused:
    """Dead letters, whose bodies name customers as channels do. They are few, and looked through from end to end."""

    collections: Sequence[str] = ("dead_letters", "dead_letter_bodies")

    def __init__(self, database: Database, traces_of: FindTraces) -> None:
        self._bodies = database["dead_letter_bodies"]
        self._traces_of = traces_of
        self._found: dict[str, list[str]] = {}

    async def begin(self, work: Work) -> None:
        named_so = await self._traces_of(work.erasure_id) or Traces.of((), (), ())
        traces = Traces(named_so.identifiers, named_so.texts | frozenset(work.customers))
        named: list[str] = []
        after = ""
        while page := await self._bodies.find({"_id": {"$gt": after}}).sort("_id", ASCENDING).limit(PAGE).to_list(PAGE):
            named += [row["_id"] for row in page if mentions(traces, row["key"], row["value"], row.get("headers", ()))]
            after = page[-1]["_id"]
        self._found[work.erasure_id] = named

    async def piece(self, unit: Unit, work: Work) -> int:
        """The bodies' ids are the letters'."""
        ids = self._found.get(work.erasure_id, [])
        removed = await unit.database["dead_letters"].delete_many({"_id": {"$in": ids}}, session=unit.session)
        bodies = await unit.database["dead_letter_bodies"].delete_many({"_id": {"$in": ids}}, session=unit.session)
        return max(removed.deleted_count, bodies.deleted_count)
