"""What sync holds on a customer: the single view, its parts, and what each channel was sent when."""

from collections.abc import Sequence

import orjson

from services.sync.store.deliveries import key
from services.sync.store.owing import maybe_sent, reaches_of
from shared.held import Held, Item, Piece, Section, by_id, having, held_links
from shared.mongo import Database, Document

CHANNELS = 500
"""Channels looked through at a time."""


def held(database: Database) -> Held:
    views = by_id(database["views"], having("_id"), lambda row: orjson.loads(row["view"]))
    parts = by_id(database["parts"], having("_id"), lambda row: orjson.loads(row["part"]))
    return Held(
        "sync",
        [
            Section("view", "All that our services know of you in one place, as it is told to channels.", views),
            Section(
                "parts",
                "The same for each of the ids under which you were known before they were found to be one.",
                parts,
            ),
            held_links(database),
            Section(
                "deliveries",
                "Which channels were told about you: the version that each has, since when, how often, and what it may see.",
                _Deliveries(database).read,
            ),
            Section(
                "perhaps_delivered",
                "Which channels may have been told about you though nobody has put it down: it was about to be sent, and the sending "
                "was broken off or has not begun. They hear of an erasure as those do that were told.",
                _Perhaps(database).read,
            ),
        ],
    )


class _Deliveries:
    """Receipts are by channel, so each channel is asked; those that were removed are known by how far they had got."""

    def __init__(self, database: Database) -> None:
        self._channels = database["channels"]
        self._progress = database["progress"]
        self._deliveries = database["deliveries"]

    async def read(self, customers: Sequence[str], place: str | None, limit: int) -> Piece:
        most = min(limit, CHANNELS)
        after = {"_id": {"$gt": place or ""}}
        ids: set[str] = set()
        for collection in (self._channels, self._progress):
            found = collection.find(after, {"_id": 1}).sort("_id", 1).limit(most)
            ids |= {document["_id"] async for document in found}
        some = sorted(ids)[:most]
        if not some:
            return [], None
        wanted = {"_id": {"$in": [key(channel, customer) for channel in some for customer in customers]}}
        policies = {row["_id"]: row async for row in self._channels.find({"_id": {"$in": some}})}
        rows = self._deliveries.find(wanted).sort("_id", 1)
        return [_delivery(row, policies.get(row["channel"])) async for row in rows], some[-1]


class _Perhaps:
    """By how far each channel may have got (decision 0052). One piece: there are far fewer channels than documents in a page."""

    def __init__(self, database: Database) -> None:
        self._progress = database["progress"]
        self._views = database["views"]
        self._deliveries = database["deliveries"]

    async def read(self, customers: Sequence[str], place: str | None, limit: int) -> Piece:  # noqa: ARG002
        suspected = await maybe_sent(self._views, await reaches_of(self._progress), customers)
        names = {key(*one): one for one in suspected}
        # Whatever stands in `deliveries` is told there.
        known = {row["_id"] async for row in self._deliveries.find({"_id": {"$in": list(names)}}, {"_id": 1})}
        left = sorted(one for name, one in names.items() if name not in known)
        return [{"customer_id": customer, "channel": channel} for channel, customer in left], None


def _delivery(row: Document, channel: Document | None) -> Item:
    told = ("channel", "version", "policy_version", "status", "first_at", "at", "times", "retry")
    item = {"customer_id": row["customer"], **{name: row.get(name) for name in told}}
    if channel is None:
        return item | {"channel_is": "removed since"}
    # The terms under which it was sent: those of today may be others.
    terms: Document = next((one for one in channel["terms"] if one["version"] == row.get("policy_version")), {})
    return item | {name: terms.get(name) for name in ("purpose", "basis", "fields")}
