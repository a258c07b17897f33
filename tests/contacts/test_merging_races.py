"""Two writers of customers who are one meet in MongoDB, also if what they write are different parts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from pymongo.errors import OperationFailure

from services.contacts.api.bodies import ContactChange, NewContact
from services.contacts.domain.erasure import Patience
from services.contacts.handlers import Decision, Handlers, Merging, Said
from services.contacts.handlers.erasing import Erasures
from services.contacts.store import MongoStore
from services.contacts.store.erasing import ErasureStore
from shared import mongo
from shared.erasing import Erasing
from shared.messaging import Messaging, Unit
from shared.mongo import Client, Database
from shared.settings import PlatformSettings
from tests.contacts.test_handlers import NOW, Noon, all_fresh

pytestmark = pytest.mark.integration


@pytest.fixture
async def client(settings: PlatformSettings) -> AsyncIterator[Client]:
    client = mongo.connect(settings)
    yield client
    await mongo.close(client)


@pytest.fixture
async def database(client: Client, settings: PlatformSettings) -> Database:
    database = client[f"{settings.namespace}rapport_contacts"]
    await MongoStore(database).prepare()
    return database


@asynccontextmanager
async def transaction(client: Client, database: Database) -> AsyncIterator[Unit]:
    """Open until the end of the block; then taken back."""
    async with client.start_session() as session:
        await session.start_transaction()
        yield Unit("contacts", database, session, now=NOW)
        await session.abort_transaction()


def handlers(database: Database) -> Handlers:
    return Handlers(MongoStore(database), Noon(), all_fresh)


def said(name: str, hours: float) -> Said:
    return Said(ContactChange(name=name), "/keys/me", {"name"}, said_at=NOW + timedelta(hours=hours))


async def registered(client: Client, database: Database, name: str, hours: float) -> str:
    async def register(session: mongo.Session) -> str:
        unit = Unit("contacts", database, session, now=NOW)
        told = Said(NewContact(name=name), "/keys/me", {"name"}, said_at=NOW + timedelta(hours=hours))
        return (await handlers(database).register(unit, told)).customer_id

    return await mongo.transaction(client, register)


async def merge(client: Client, database: Database, survivor: str, absorbed: str) -> None:
    async def change(session: mongo.Session) -> None:
        unit = Unit("contacts", database, session, now=NOW)
        await Merging(MongoStore(database), Noon()).merge(unit, survivor, absorbed, Decision("/keys/me"))

    await mongo.transaction(client, change)


async def test_a_part_that_changes_unseen_still_keeps_others_from_working_with_what_it_was(
    client: Client, database: Database
) -> None:
    """Said before what holds, it changes nothing that is published; and yet it counts once what holds is corrected."""
    ann, bob = await registered(client, database, "Ann", 5), await registered(client, database, "Bob", 1)
    await merge(client, database, ann, bob)
    async with transaction(client, database) as first, transaction(client, database) as second:
        contact = await handlers(database).change(first, bob, said("Bobby", 2))
        assert (contact.name, first.outgoing) == ("Ann", [])
        with pytest.raises(OperationFailure) as refused:
            await handlers(database).change(second, ann, said("Anna", 6))
        assert refused.value.has_error_label("TransientTransactionError")


async def test_a_merge_and_a_change_of_either_meet(client: Client, database: Database) -> None:
    ann, bob = await registered(client, database, "Ann", 5), await registered(client, database, "Bob", 1)
    for changed in (ann, bob):
        async with transaction(client, database) as first, transaction(client, database) as second:
            await Merging(MongoStore(database), Noon()).merge(first, ann, bob, Decision("/keys/me"))
            with pytest.raises(OperationFailure) as refused:
                await handlers(database).change(second, changed, said("Somebody", 6))
            assert refused.value.has_error_label("TransientTransactionError")


@pytest.fixture
async def erasures(client: Client, database: Database, settings: PlatformSettings) -> Erasures:
    await ErasureStore(database).prepare()
    works = Erasing("contacts", database, Messaging("contacts", settings, client, database), ())
    store = MongoStore(database)
    return Erasures(store, store.lists, ErasureStore(database), works, works.tombstones, 30, Patience())


@pytest.mark.parametrize("lifted", [False, True])
async def test_a_restriction_and_a_merge_of_the_same_customer_meet(
    client: Client, database: Database, erasures: Erasures, lifted: bool
) -> None:
    """Else who is found to be somebody restricted would be restricted or not by which of two was a moment earlier."""
    ann, bob = await registered(client, database, "Ann", 5), await registered(client, database, "Bob", 1)
    async with transaction(client, database) as first, transaction(client, database) as second:
        if lifted:
            await erasures.lift(first, bob)
        else:
            await erasures.restrict(first, bob, "objected", "/keys/me")
        with pytest.raises(OperationFailure) as refused:
            await Merging(MongoStore(database), Noon()).merge(second, ann, bob, Decision("/keys/me"))
        assert refused.value.has_error_label("TransientTransactionError")
