"""What contacts kept by an earlier release lack: the keys that they are found by. Given in the background, a piece at a time."""

from contextlib import suppress

from pymongo import ASCENDING, UpdateOne
from pymongo.errors import OperationFailure

from services.contacts.domain.digest import digest
from services.contacts.domain.values.initials import initials
from services.contacts.store.rows import keys_row, read_known
from shared.mongo import Collection, Document

PROGRESS = "upgrades"
DIGESTS = "digests"


async def give_keys(contacts: Collection, limit: int) -> bool:
    """To those who have none, and so are not found. Whether there may be more of them."""
    rows = [row async for row in contacts.find({"traits": None}).limit(limit)]
    # Only where there are still none: what is written meanwhile knows better.
    given = [
        UpdateOne({"_id": row["_id"], "traits": None}, {"$set": keys_row(read_known(row)), "$unset": {"search": ""}})
        for row in rows
    ]
    if given:
        await contacts.bulk_write(given, ordered=False)
    return len(rows) == limit


async def give_digests(contacts: Collection, limit: int) -> bool:
    """Likewise digests; without one a contact is found, but read each time. How far it is got is kept, as no index says who lacks one."""
    progress = contacts.database[PROGRESS]
    done = await progress.find_one({"_id": DIGESTS}) or {"after": ""}
    if done["after"] is None:
        return False
    found = (
        contacts.find({"_id": {"$gt": done["after"]}}, {"found_by": 1, "traits": 1, "initials": 1})
        .sort("_id", ASCENDING)
        .limit(limit)
    )
    rows = [row async for row in found]
    given = [_digests(row) for row in rows if "traits" in row and row.get("initials") is None]
    if given:
        await contacts.bulk_write(given, ordered=False)
    last = rows[-1]["_id"] if len(rows) == limit else None
    await progress.replace_one({"_id": DIGESTS}, {"after": last}, upsert=True)
    if last is None:
        # Of a time when they had no digests; instances of that time ask for them by name, and so fail from now on.
        for index in ("found_by_1_number_1", "traits_1__id_1"):
            with suppress(OperationFailure):
                await contacts.drop_index(index)
    return last is not None


def _digests(row: Document) -> UpdateOne:
    """Only while the keys are those that the digests are of: what is written meanwhile has its own."""
    keys = {name: row[name] for name in ("found_by", "traits")}
    told = {"digest": digest(row["traits"]), "initials": initials(row["found_by"])}
    return UpdateOne({"_id": row["_id"], "initials": None, **keys}, {"$set": told})
