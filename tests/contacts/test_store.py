"""What is kept of contacts: the same suite for MongoDB and for the store in memory that other tests use."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.errors import BulkWriteError

from services.contacts.domain.identities import Conflict
from services.contacts.domain.survivorship import Known, Statement, fold, newcomer
from services.contacts.handlers import Changes
from services.contacts.store import MongoStore
from shared import mongo
from shared.contracts.channels import Address
from shared.contracts.contacts import Consent
from shared.contracts.fact import Identifier
from shared.ids import uuid7
from shared.settings import PlatformSettings
from tests.contacts.memory import MemoryStore

NOW = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
ANN, BOB, CLEO = (uuid7(NOW + timedelta(seconds=n)) for n in range(3))


@pytest.fixture
def memory() -> MemoryStore:
    return MemoryStore()


@pytest.fixture(params=["pymongo", "motor"])
async def real(request: pytest.FixtureRequest, settings: PlatformSettings) -> AsyncIterator[MongoStore]:
    client = mongo.connect(settings.model_copy(update={"mongo_driver": request.param}))
    store = MongoStore(client[f"{settings.namespace}rapport_contacts"])
    await store.prepare()
    yield store
    await mongo.close(client)


def known(customer: str, **fields: Any) -> Known:
    return fold(newcomer(customer, NOW), Statement("s", NOW, **fields))


def consent(hours: int, status: Any = "granted") -> Consent:
    return Consent(purpose="ads", channel="any", status=status, given_at=NOW - timedelta(hours=hours), source="s")


class StoreSuite:
    """What every store of contacts does."""

    async def test_a_contact_reads_back_as_it_was_saved(self, store: MongoStore | MemoryStore) -> None:
        ann = known(
            ANN,
            identifiers=[Identifier(scheme="card", value="a.$:1\0é")],
            fields={"name": "Ann", "address": Address(city="Bonn", lines=["x"]), "party": "household", "phone": None},
            attributes={"a.b": 1, "big": 2**40, "c": True, "d": 1.5, "e": "x"},
            consents=[consent(1)],
        )
        await store.save(Changes(contacts=[ann, known(BOB)]), None, NOW)
        assert await store.load([ANN, BOB, CLEO], None) == {ANN: ann, BOB: known(BOB)}
        assert await store.contact(ANN) == ann.contact
        assert await store.contact(CLEO) is None

    async def test_a_later_save_replaces(self, store: MongoStore | MemoryStore) -> None:
        await store.save(Changes(contacts=[known(ANN, fields={"name": "Ann"})]), None, NOW)
        await store.save(Changes(contacts=[known(ANN)]), None, NOW)
        assert await store.load([ANN], None) == {ANN: known(ANN)}

    async def test_identities_are_found_in_one_call(self, store: MongoStore | MemoryStore) -> None:
        await store.save(Changes(identities={"card:1": ANN, "card:2": BOB}), None, NOW)
        assert await store.owners(["card:2", "card:1", "card:3"], None) == {"card:1": ANN, "card:2": BOB}
        assert await store.owners([], None) == {}

    async def test_an_identity_is_never_given_twice(self, store: MongoStore | MemoryStore) -> None:
        await store.save(Changes(identities={"card:1": ANN}), None, NOW)
        with pytest.raises((BulkWriteError, AssertionError)):
            await store.save(Changes(identities={"card:1": BOB}), None, NOW)
        assert await store.owners(["card:1"], None) == {"card:1": ANN}

    async def test_pages_go_through_all_contacts_once(self, store: MongoStore | MemoryStore) -> None:
        await store.save(Changes(contacts=[known(one) for one in (CLEO, ANN, BOB)]), None, NOW)
        first = await store.page("", 2)
        second = await store.page(first[-1].customer_id, 2)
        assert [contact.customer_id for contact in [*first, *second]] == [ANN, BOB, CLEO]
        assert await store.count() == 3

    @pytest.mark.parametrize("typed", ["jurg", "Mueller", "MULLER jür", "Юрген", "j.muler", "Jürgn"])
    async def test_a_contact_is_found_by_its_name_as_a_person_types_it(
        self, store: MongoStore | MemoryStore, typed: str
    ) -> None:
        jurgen, hans = known(ANN, fields={"name": "Jürgen Müller"}), known(BOB, fields={"name": "Hans Meyer"})
        mail = known(CLEO, fields={"email": "j.mueller.jurgen@b.de"})
        await store.save(Changes(contacts=[jurgen, hans, mail]), None, NOW)
        found = [contact.customer_id for contact in await store.found(typed, "", 9)]
        assert ANN in found
        assert BOB not in found
        assert ANN not in {contact.customer_id for contact in await store.found(typed, ANN, 9)}
        assert await store.found(typed, "", 1) == [jurgen.contact]

    @pytest.mark.parametrize("typed", [" ", "--", "^.*", "$ne", "Jürgen Hans"])
    async def test_what_has_no_words_or_not_all_of_them_finds_nobody(
        self, store: MongoStore | MemoryStore, typed: str
    ) -> None:
        await store.save(Changes(contacts=[known(ANN, fields={"name": "Jürgen Müller"}), known(BOB)]), None, NOW)
        assert await store.found(typed, "", 9) == []

    async def test_what_was_said_about_consent_is_kept_once_and_listed_latest_first(
        self, store: MongoStore | MemoryStore
    ) -> None:
        said = [consent(3), consent(1, "withdrawn"), consent(1), consent(2)]
        for _ in range(2):
            await store.save(Changes(consents=[(ANN, one) for one in said] + [(BOB, consent(0))]), None, NOW)
        first = await store.consents_said(ANN, None, 2)
        place, last = first[-1]
        second = await store.consents_said(ANN, (last.given_at, place), 2)
        assert {one.status for _, one in first} == {"withdrawn", "granted"}
        assert [one for _, one in second] == [consent(2), consent(3)]

    async def test_duplicates_add_up(self, store: MongoStore | MemoryStore) -> None:
        assert await store.duplicates() == 0
        for _ in range(2):
            await store.save(Changes(duplicates={0: 1, 3: 2}), None, NOW)
        assert await store.duplicates() == 6


class TestMemory(StoreSuite):
    @pytest.fixture
    def store(self, memory: MemoryStore) -> MemoryStore:
        return memory


@pytest.mark.integration
class TestMongo(StoreSuite):
    @pytest.fixture
    def store(self, real: MongoStore) -> MongoStore:
        return real

    async def test_a_conflict_is_kept_once_for_each_pair(self, store: MongoStore) -> None:
        conflicts = [Conflict(ANN, BOB, ("card:1", "card:2")), Conflict(BOB, ANN, ("card:2", "card:1"))]
        for conflict in conflicts:
            await store.save(Changes(conflicts=[conflict]), None, NOW)
        rows = [row async for row in store.conflicts.find()]
        assert [(row["customers"], row["identifiers"]) for row in rows] == [(sorted([ANN, BOB]), ["card:1", "card:2"])]

    async def test_a_contact_of_a_time_before_the_lists_and_the_search_reads_back_and_becomes_findable(
        self, store: MongoStore
    ) -> None:
        old = known(ANN, fields={"name": "Ann"})
        await store.save(Changes(contacts=[old]), None, NOW)
        new = ["chosen", "search", "phones", "emails", "addresses", "name_parts", "time_zone"]
        new += ["interests", "preferences", "owner", "territory"]
        await store.contacts.update_one({"_id": ANN}, {"$unset": dict.fromkeys(new, "")})
        assert await store.load([ANN], None) == {ANN: old}
        assert await store.found("ann", "", 9) == []
        assert await store.make_findable(1)
        assert not await store.make_findable(1)
        assert await store.found("ann", "", 9) == [old.contact]
