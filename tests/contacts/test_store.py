"""What is kept of contacts: the same suite for MongoDB and for the store in memory that other tests use."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.errors import BulkWriteError

from services.contacts.domain import lifecycle
from services.contacts.domain.digest import digest
from services.contacts.domain.identities import Conflict
from services.contacts.domain.merging import Merge
from services.contacts.domain.places import Place
from services.contacts.domain.ruling import Rule
from services.contacts.domain.survivorship import Known, Statement, fold, newcomer
from services.contacts.domain.values.initials import initials
from services.contacts.handlers import Changes
from services.contacts.store import MongoStore
from shared import mongo
from shared.contracts.channels import Address
from shared.contracts.contacts import Consent
from shared.contracts.fact import Identifier
from shared.contracts.parties import PartyLink
from shared.ids import uuid7
from shared.settings import PlatformSettings
from tests.contacts.memory import MemoryStore

NOW = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
ANN, BOB, CLEO = (uuid7(NOW + timedelta(seconds=n)) for n in range(3))
MERGE = Merge(uuid7(NOW), ANN, BOB, NOW, "/keys/me", "same card")


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

    async def test_who_said_what_and_what_does_not_hold_read_back_as_they_were_saved(
        self, store: MongoStore | MemoryStore
    ) -> None:
        ann = newcomer(ANN, NOW)
        rules = dict.fromkeys(("name", "address", "attributes.a.b"), Rule(rule="source-priority", sources=("/a.$b",)))
        for source, name in (("/a.$b", "Ann"), ("/keys/1", "Anna"), ("/c", None)):
            place = Address(city="Bonn", lines=["x"]) if name else None
            told = Statement(source, NOW, fields={"name": name, "address": place, "phone": name}, by=name)
            ann = fold(ann, replace(told, attributes={"a.b": 2**40 if name else True}), rules=rules)
        await store.save(Changes(contacts=[ann]), None, NOW)
        assert await store.load([ANN], None) == {ANN: ann}
        assert {place: len(others) for place, others in ann.also.items()} == dict.fromkeys(rules, 2)

    async def test_what_was_heard_and_kept_out_reads_back_as_it_was_saved(
        self, store: MongoStore | MemoryStore
    ) -> None:
        link = PartyLink(kind="works-at", to=BOB, source="s", said_at=NOW, stated_at=NOW, title="Clerk")
        marks = [lifecycle.said("lead", NOW, "s"), *lifecycle.of_score((), NOW, NOW, NOW, "gone")]
        more = {"links": [link], "sensitive": {"salary": 7}, "misfits": {"tier": "no-choice"}}
        ann = known(ANN, marks=marks, **more)
        await store.save(Changes(contacts=[ann, known(BOB)]), None, NOW)
        assert await store.load([ANN], None) == {ANN: ann}
        assert await store.courses([ANN, BOB, CLEO], None) == {ANN: ann.course, BOB: ()}

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
        found = (await store.found(typed, None, 9)).contacts
        assert found[0] == jurgen.contact
        assert BOB not in {contact.customer_id for contact in found}
        first = await store.found(typed, None, 1)
        assert first.contacts == [jurgen.contact]
        assert first.next is None or (await store.found(typed, first.next, 9)).contacts == found[1:]

    @pytest.mark.parametrize("typed", [" ", "--", "^.*", "$ne", "Jürgen Hans"])
    async def test_what_has_no_words_or_not_all_of_them_finds_nobody(
        self, store: MongoStore | MemoryStore, typed: str
    ) -> None:
        await store.save(Changes(contacts=[known(ANN, fields={"name": "Jürgen Müller"}), known(BOB)]), None, NOW)
        assert (await store.found(typed, None, 9)).contacts == []

    async def test_of_customers_who_are_one_the_survivor_is_found_by_what_all_are_called(
        self, store: MongoStore | MemoryStore
    ) -> None:
        ann, bob = known(ANN, fields={"name": "Ann"}), known(BOB, fields={"name": "Bob"})
        golden = ann.contact.model_copy(update={"name": "Anna Bobby", "absorbed": [BOB]})
        root = replace(ann, place=Place(members=(BOB,), golden=golden))
        part = replace(bob, place=Place(turn=1, merge_id=MERGE.merge_id, into=ANN, since=NOW, root=ANN))
        await store.save(Changes(contacts=[root, part]), None, NOW)
        assert (await store.found("anna bob", None, 9)).contacts == [golden]
        assert (await store.found("bob", None, 9)).contacts == [golden]

    async def test_what_was_said_about_consent_is_kept_once_and_listed_latest_first(
        self, store: MongoStore | MemoryStore
    ) -> None:
        said = [consent(3), consent(1, "withdrawn"), consent(1), consent(2)]
        for _ in range(2):
            await store.save(Changes(consents=[(ANN, one) for one in said] + [(BOB, consent(0))]), None, NOW)
        first = await store.consents_said([ANN], None, 2)
        place, last = first[-1]
        second = await store.consents_said([ANN], (last.given_at, place), 2)
        assert {one.status for _, one in first} == {"withdrawn", "granted"}
        assert [one for _, one in second] == [consent(2), consent(3)]

    async def test_who_is_one_reads_back_answers_for_all_and_counts_once(self, store: MongoStore | MemoryStore) -> None:
        golden = known(ANN, fields={"name": "Ann"}).contact.model_copy(update={"absorbed": [BOB], "version": 2})
        ann = replace(known(ANN), place=Place(members=(BOB,), golden=golden, beat=1))
        bob = replace(known(BOB), place=Place(turn=1, merge_id=MERGE.merge_id, into=ANN, since=NOW, root=ANN))
        await store.save(Changes(contacts=[ann, bob, known(CLEO)], merges=[MERGE]), None, NOW)
        assert await store.load([ANN, BOB], None) == {ANN: ann, BOB: bob}
        assert await store.contact(BOB) == await store.contact(ANN) == golden
        assert [contact.customer_id for contact in await store.page("", 5)] == [ANN, CLEO]
        assert await store.count() == 2

    async def test_a_merge_is_found_by_its_id_and_by_its_customers(self, store: MongoStore | MemoryStore) -> None:
        later = replace(MERGE, merge_id=uuid7(NOW + timedelta(hours=1)), survivor=CLEO, undone_at=NOW, undone_by="me")
        await store.save(Changes(merges=[MERGE, later]), None, NOW)
        assert await store.merge(MERGE.merge_id, None) == MERGE
        assert await store.merge(ANN, None) is None
        assert await store.merges_of([BOB], None, 5) == [later, MERGE]
        assert await store.merges_of([BOB, CLEO], later.merge_id, 5) == [MERGE]
        assert await store.merges_of([CLEO], None, 5) == [later]
        undone = replace(MERGE, undone_at=NOW, undone_by="me", undo_reason="no")
        await store.save(Changes(merges=[undone]), None, NOW)
        assert await store.merge(MERGE.merge_id, None) == undone

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
        new = [
            "chosen",
            "found_by",
            "number",
            "digest",
            "traits",
            "phones",
            "emails",
            "addresses",
            "name_parts",
            "time_zone",
        ]
        new += ["interests", "preferences", "owner", "territory"]
        await store.contacts.update_one({"_id": ANN}, {"$unset": dict.fromkeys(new, "")})
        assert await store.load([ANN], None) == {ANN: old}
        assert (await store.found("ann", None, 9)).contacts == []
        while await store.make_findable(1):
            """Old ones are given theirs one by one."""
        assert (await store.found("ann", None, 9)).contacts == [old.contact]
        row = await store.contacts.find_one({"_id": ANN})
        assert row
        assert row["traits"] == ["party=person", "stage=prospect"]
        assert row["digest"] == digest(row["traits"])
        assert row["initials"] == initials(row["found_by"])
