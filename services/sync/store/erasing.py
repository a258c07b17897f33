"""What sync keeps of a customer, and how it is removed. What channels have is in `owing.py`.

A new collection that says something about customers gets a line in `steps`; any other is named in `HOLDS_NONE`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from pymongo import ReplaceOne

from services.sync.domain.known import NOTHING, NULL, read
from services.sync.domain.merging import absorbed_by
from services.sync.domain.view import Held, following
from services.sync.handlers.folding import NewVersion, counted
from services.sync.handlers.views import START
from services.sync.store.deliveries import DeliveryStore
from services.sync.store.owing import COLLECTION, Told
from services.sync.store.trees import part_row, speaking_of
from services.sync.store.views import ViewStore, as_held
from shared.audit import COLLECTION as AUDIT, WHO_ASKED
from shared.contracts.sync import CUSTOMERS
from shared.erasing import Delete, Step, Work
from shared.links import COLLECTION as LINKS, naming
from shared.messaging import Outgoing, Unit

HOLDS_NONE = {
    "positions": "sums over everybody, by partition",
    "channels": "channels",
    "progress": "how far channels are",
    "deliveries": "which channel was sent which version of which id, and when: the proof, without what was sent",
    COLLECTION: "which channels were told of which erasure",
    "keys": "API keys",
    "notes": "leases",
    "rebuilding": "that views are being made anew, and above which version",
    AUDIT: WHO_ASKED,
}
Now = Callable[[], datetime]


def steps(views: ViewStore, deliveries: DeliveryStore, now: Now) -> list[Step]:
    # Channels are awaited before they are told, as some answer at once; then those too whose deliveries were under way.
    told = Told(views, deliveries, now)
    return [told, Delete("parts"), Remembered(), Viewed(views, now), Buried(views), Delete("links", naming), told]


class Remembered:
    """What contacts told last of somebody while the customer was part of them, and who has been absorbed by another since.

    Contacts tells nothing more under their id until they are their own again, and all of it then; of those who answer for
    themselves it has told what they are without the customer.
    """

    collections: Sequence[str] = ("parts",)

    async def begin(self, work: Work) -> None:
        """They are found by index."""

    async def piece(self, unit: Unit, work: Work) -> int:
        parts, links = unit.database["parts"], unit.database[LINKS]
        rows = parts.find(speaking_of(work.customers), session=unit.session)
        found = {row["_id"]: read(row["part"])[2] async for row in rows}
        naming_them = [one for one, known in found.items() if not absorbed_by(known.contact).isdisjoint(work.customers)]
        absorbed = links.find({"_id": {"$in": naming_them}, "into": {"$ne": None}}, {"_id": 1}, session=unit.session)
        writes = [
            ReplaceOne({"_id": one}, part_row(one, found[one]._replace(contact=NULL)))
            for one in [row["_id"] async for row in absorbed]
        ]
        if writes:
            await parts.bulk_write(writes, session=unit.session)
        return len(writes)


class Viewed:
    """Views: a last version with nothing in it, which goes to the channels in its turn."""

    collections: Sequence[str] = ("views",)

    def __init__(self, views: ViewStore, now: Now) -> None:
        self._views = views
        self._now = now

    async def begin(self, work: Work) -> None:
        """Nothing to find out."""

    async def piece(self, unit: Unit, work: Work) -> int:
        wanted = {"_id": {"$in": list(work.customers)}, "erased": None}
        rows = await self._views.views.find(wanted, session=unit.session).to_list(None)
        if not rows:
            return 0
        tails = await self._views.places({row["partition"] for row in rows}, unit.session)
        now = self._now()
        versions = [emptied(as_held(row), row["partition"], now) for row in rows]
        await self._views.save(versions, {v.partition: tails.get(v.partition, START) for v in versions}, unit.session)
        ids = [row["_id"] for row in rows]
        mark = {"$set": {"erased": work.erasure_id}}
        await self._views.views.update_many({"_id": {"$in": ids}}, mark, session=unit.session)
        return len(ids)


class Buried:
    """A tombstone in `crm.customers` for each of them, at each of the two looks.

    A batch that its producer has given up may reach the broker after all, behind what was told since: the view in it is
    covered by the second tombstone (docs/decisions/0046-an-erasure-is-followed-to-its-end.md).
    """

    collections: Sequence[str] = ()

    def __init__(self, views: ViewStore) -> None:
        self._views = views

    async def begin(self, work: Work) -> None:
        """Nothing to find out."""

    async def piece(self, unit: Unit, work: Work) -> int:
        """All of them at once, and nothing is removed."""
        erased = {"_id": {"$in": list(work.customers)}, "erased": {"$ne": None}}
        async for row in self._views.views.find(erased, {"_id": 1}, session=unit.session):
            unit.forward(Outgoing(CUSTOMERS.name, row["_id"].encode(), None, ()))
        return 0


def emptied(before: Held, partition: int, now: datetime) -> NewVersion:
    """The version after which there is none, and what the sums over all customers lose by it."""
    held = following(before.customer_id, before, NOTHING, {None}, now)
    sales = before.known.sales
    return NewVersion(held, held.view(), [], partition, -counted(before), -sales.orders, -sales.total, regrouped=True)
