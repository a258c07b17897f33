"""What a service that is made anew has to know before anything is told to it again."""

from deploy.local.retelling import Database, Databases, merged, restricted
from services.scoring.store.restrictions import ALL_HIDDEN, COLLECTION as RESTRICTIONS, NOTES
from shared.links import COLLECTION as LINKS


async def link(database: Database, databases: Databases) -> None:
    """Who is one with whom, as of no turn, so that what is told again is news and yet meets every tree whole.

    Else customers of an open campaign would be told, for a moment, to be contacted again who are held out with another one
    of whom nothing has been heard yet (`docs/decisions/0037-a-person-drawn-twice.md`).
    """
    links = database[LINKS]
    await links.delete_many({})
    async for piece in merged(databases):
        await links.insert_many([{"_id": one.absorbed, "into": one.survivor, "turn": 0} for one in piece])


async def restrict(database: Database, databases: Databases) -> None:
    """Whose data must not be used, so that the service starts with it, and none of their scores is told.

    What hides them has been forgotten with all that was scored, so that the start has to look through them again.
    """
    await database[NOTES].delete_one({"_id": ALL_HIDDEN})
    restrictions = database[RESTRICTIONS]
    await restrictions.delete_many({})
    async for customers in restricted(databases):
        await restrictions.insert_many([{"_id": one} for one in customers])
