"""Looks through every document of every service for customers who were erased: by their ids, and by what names them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection

from bson.raw_bson import RawBSONDocument
from pymongo import AsyncMongoClient

from tests.torture.evidence.databases import SERVICES
from tests.torture.judge.unity import Trace
from tests.torture.sendings import NAMING

ID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
VALUES = "|".join(prefix.partition(":")[2] for prefix in (*NAMING.channels, NAMING.common))
NAMED = re.compile(rf"(?:{VALUES})(\d{{{NAMING.digits}}})|customer-(\d+)@|Customer (\d+) of".encode())
"""All that the load ever says of who somebody is: numbers of channels and cards, e-mail addresses, names."""


async def traces(url: str, ids: Collection[str], numbers: Collection[int]) -> AsyncIterator[Trace]:
    """Each place once for each customer. Reads everything there is."""
    wanted, named = {one.encode() for one in ids}, {b"%d" % number for number in numbers}
    async with AsyncMongoClient[RawBSONDocument](url, document_class=RawBSONDocument) as client:
        for service in SERVICES:
            database = client[f"rapport_{service}"]
            for collection in await database.list_collection_names():
                by_id: set[bytes] = set()
                by_name: set[bytes] = set()
                async for document in database[collection].find():
                    raw = bytes(document.raw)
                    by_id |= wanted.intersection(ID.findall(raw))
                    by_name |= named.intersection(spoken(raw))
                for one in by_id:
                    yield Trace(service, collection, one.decode(), None)
                for one in by_name:
                    yield Trace(service, collection, None, int(one))


def spoken(raw: bytes) -> set[bytes]:
    """The numbers of all customers who are named."""
    return {(next(filter(None, groups)).lstrip(b"0") or b"0") for groups in NAMED.findall(raw)}
