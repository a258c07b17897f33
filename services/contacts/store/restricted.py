"""Whose data are kept and must not be used (GDPR, article 18), as every store here asks it. `erasing` puts it down."""

from collections.abc import Collection as Many

from shared.mongo import Database, Session

COLLECTION = "restrictions"


async def restricted(database: Database, customers: Many[str], session: Session | None = None) -> set[str]:
    """Those of these customers."""
    found = database[COLLECTION].find({"_id": {"$in": list(customers)}}, {"_id": 1}, session=session)
    return {row["_id"] async for row in found}
