"""What campaigns keeps of a customer, and how it is removed.

A new collection that says something about customers gets a line in `steps`; any other is named in `HOLDS_NONE`.
"""

from collections.abc import Collection, Sequence
from typing import Protocol

from services.campaigns.store.campaign_documents import prefix_of
from shared.audit import COLLECTION as AUDIT, WHO_ASKED
from shared.erasing import Delete, Step, Work, by
from shared.messaging import Unit

HOLDS_NONE = {
    "segments": "rules",
    "campaigns": "figures of all their customers",
    "notes": "leases",
    "moved": "how often anybody was found to be one with somebody, or two again; that profiles are made anew",
    AUDIT: WHO_ASKED,
}


TOLD = ("party", "stage", "language", "country", "region", "city", "postal_code", "registered_at", "attributes")
"""What a contact says of its customer, beyond whether and when they may be contacted."""


class Leaving(Protocol):
    async def leave(self, unit: Unit, erased: Collection[str]) -> int: ...


class One:
    """With whom they were one: the others' profiles and places in campaigns are theirs alone again."""

    collections: Sequence[str] = ("links",)

    def __init__(self, following: Leaving) -> None:
        self._following = following

    async def begin(self, work: Work) -> None:
        """Nothing to find out."""

    async def piece(self, unit: Unit, work: Work) -> int:
        return await self._following.leave(unit, work.customers)


class Held:
    """With whom others were held out of a campaign whose window is over: the row stays, and names nobody."""

    collections: Sequence[str] = ("selections",)

    async def begin(self, work: Work) -> None:
        """Nothing to find out."""

    async def piece(self, unit: Unit, work: Work) -> int:
        """Nothing is removed."""
        named, rows = {"held_out_with": {"$in": list(work.customers)}}, unit.database["selections"]
        await rows.update_many(named, {"$unset": {"held_out_with": ""}}, session=unit.session)
        return 0


class Remembered:
    """What contacts told last of somebody while the customer was part of them, and who has been absorbed by another since.

    Contacts tells nothing more under their id until they are their own again, and all of it then. Whether they may be contacted
    stays: it is asked the moment that they are.
    """

    collections: Sequence[str] = ("profiles",)

    async def begin(self, work: Work) -> None:
        """They are found by index."""

    async def piece(self, unit: Unit, work: Work) -> int:
        """All at once: they were merged one by one."""
        wanted = {"contact.absorbed": {"$in": list(work.customers)}, "merged_into": {"$exists": True}}
        gone = {"$unset": dict.fromkeys((f"contact.{name}" for name in ("absorbed", *TOLD)), "")}
        return (await unit.database["profiles"].update_many(wanted, gone, session=unit.session)).modified_count


class Selected:
    """Rows of campaigns have the customer in their ids, so that no index is kept for this alone."""

    collections: Sequence[str] = ("selections",)

    async def begin(self, work: Work) -> None:
        """Nothing to find out."""

    async def piece(self, unit: Unit, work: Work) -> int:
        campaigns = unit.database["campaigns"].find({"attempt": {"$gt": 0}}, {"attempt": 1}, session=unit.session)
        begins = [prefix_of(row["_id"], attempt) async for row in campaigns for attempt in range(1, row["attempt"] + 1)]
        ids = [begin + customer for begin in begins for customer in work.customers]
        if not ids:
            return 0
        rows = unit.database["selections"]
        return (await rows.delete_many({"_id": {"$in": ids}}, session=unit.session)).deleted_count


def steps(following: Leaving) -> list[Step]:
    return [One(following), Delete("profiles"), Remembered(), Delete("orders", by("customer_id")), Held(), Selected()]
