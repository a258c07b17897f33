"""Channels as registered. How far they have got is in `deliveries.py`."""

from typing import Any

from pymongo import ASCENDING
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from services.sync.domain.channel import Channel

Document = dict[str, Any]


class ChannelStore:
    """One document a channel: the JSON form of the domain's channel."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self.channels = database["channels"]

    async def prepare(self) -> None:
        """Before any transaction: two of them must not race to create a collection."""
        await self.channels.create_index("_id")

    async def all(self) -> list[Channel]:
        found = await self.channels.find({}).sort("_id", ASCENDING).to_list(None)
        return [as_channel(document) for document in found]

    async def get(self, channel_id: str, session: AsyncClientSession | None = None) -> Channel | None:
        document = await self.channels.find_one({"_id": channel_id}, session=session)
        return as_channel(document) if document else None

    async def put(self, channel: Channel, session: AsyncClientSession | None = None) -> None:
        document = channel.model_dump(mode="json")
        await self.channels.replace_one({"_id": channel.channel_id}, document, upsert=True, session=session)

    async def remove(self, channel_id: str, session: AsyncClientSession | None = None) -> bool:
        return (await self.channels.delete_one({"_id": channel_id}, session=session)).deleted_count == 1


def as_channel(document: Document) -> Channel:
    return Channel.model_validate(document)
