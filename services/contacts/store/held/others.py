"""What joins a customer with others. Who they are is theirs to know."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.held import Item, Piece, Section, by_id, having, whole
from shared.mongo import Database, Document


def merges(database: Database) -> Section:
    about = (
        "That records were found to be one person's, and who decided so; or that this was taken back, and when. Whose the other "
        "record is then is not yours to know."
    )
    return Section("merges", about, _Merges(database).read)


class _Merges:
    """What was taken back was somebody else's all along, and so may be the reasons that people have typed."""

    def __init__(self, database: Database) -> None:
        self._found = by_id(database["merges"], having("customers"), whole)

    async def read(self, customers: Sequence[str], place: str | None, limit: int) -> Piece:
        found, following = await self._found(customers, place, limit)
        return [_merge(one, set(customers)) for one in found], following


def _merge(told: Item, own: set[str]) -> Item:
    if told["undone_at"] is None or set(told["customers"]) <= own:
        return told
    return {"merged_at": told["merged_at"], "taken_back_at": told["undone_at"]}


def conflicts(database: Database) -> Section:
    about = "That a channel has taken you and somebody else for one person. Who the other one is is not yours to know."
    return Section("conflicts", about, _Conflicts(database).read)


class _Conflicts:
    """What was reported together is some of it one's own, and some the other's."""

    def __init__(self, database: Database) -> None:
        self._identities = database["identities"]
        self._found = by_id(database["conflicts"], having("customers"), whole)

    async def read(self, customers: Sequence[str], place: str | None, limit: int) -> Piece:
        found, following = await self._found(customers, place, limit)
        said = sorted({name for one in found for name in one["identifiers"]})
        own = {"_id": {"$in": said}, "customer_id": {"$in": list(customers)}}
        theirs = {row["_id"] async for row in self._identities.find(own, {"_id": 1})}
        return [_conflict(one, [name for name in one["identifiers"] if name in theirs]) for one in found], following


def _conflict(told: Item, own: Sequence[str]) -> Item:
    return {"seen_at": told["seen_at"], "reported_together": own}


def duplicates(database: Database) -> Section:
    about = "When we thought that you and somebody else may be one, and what became of it. Who the other one is is not yours to know."
    return Section("duplicates", about, by_id(database["match_pairs"], having("customers"), _pair))


def _pair(document: Document) -> Item:
    found = {name: document[name] for name in ("seen_at", "probability")}
    return found | {"decided": document["decided"]["state"]} if "decided" in document else found


def linked_by(database: Database) -> Section:
    about = "That others were said to be something to you. Who they are is not yours to know."
    return Section("linked_by", about, _LinksOfOthers(database).read)


class _LinksOfOthers:
    """They stand in others' contacts, beside links to somebody else."""

    def __init__(self, database: Database) -> None:
        self._contacts = database["contacts"]

    async def read(self, customers: Sequence[str], place: str | None, limit: int) -> Piece:
        wanted = {"links.to": {"$in": list(customers)}, "_id": {"$gt": place or ""}}
        rows = await self._contacts.find(wanted, {"links": 1}).sort("_id", 1).limit(limit).to_list(None)
        items = [_link(link) for row in rows for link in row["links"] if link["to"] in customers]
        return items, rows[-1]["_id"] if len(rows) == limit else None


def _link(link: Mapping[str, Any]) -> Item:
    return {name: value for name, value in link.items() if value is not None}
