"""Making sure that collections are there before transactions write to them; an index would do the same."""

from pymongo.errors import CollectionInvalid

from shared.mongo import Database


async def exist(database: Database, *names: str) -> None:
    for name in set(names) - set(await database.list_collection_names()):
        try:
            await database.create_collection(name)
        except CollectionInvalid:
            continue  # another instance was first
