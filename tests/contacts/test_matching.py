"""Matching piece by piece against real MongoDB: what is found does not depend on order, repetition or frequent values."""

import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.contacts.domain.identities import Conflict
from services.contacts.domain.matching.proposals import Customers, Limits, couple
from services.contacts.domain.matching.record import record_of
from services.contacts.domain.merging import Merge, merged, regrouped
from services.contacts.domain.survivorship import Known
from services.contacts.handlers import Changes
from services.contacts.handlers.learning import Learning
from services.contacts.handlers.matching import Matching
from services.contacts.handlers.proposals import Decided, Wanted
from services.contacts.handlers.weighing import Sure
from services.contacts.store import MatchStore, ModelStore, MongoStore, ReviewStore
from shared.ids import uuid7
from shared.mongo import Database
from shared.settings import PlatformSettings
from tests.contacts.matching.contacts import NOW, person as contact_of
from tests.contacts.matching.people import people
from tests.contacts.running import contacts_database
from tests.contacts.test_handlers import Noon

pytestmark = pytest.mark.integration
LIMITS = Limits(automatic=None, review=0.2)


@pytest.fixture
async def database(settings: PlatformSettings) -> AsyncIterator[Database]:
    async with contacts_database(settings) as database:
        await MatchStore(database).prepare()
        yield database


def person(number: int, record: dict[str, str]) -> Known:
    return contact_of(f"019b7a2c-5c00-7000-8000-{number:012x}", record)


def matching_of(store: MatchStore) -> Matching:
    """Who surely is one is told by `take`, and not merged."""

    async def leave(sure: Sure) -> None:
        assert sure.weighed.probability >= 0.5

    return Matching(store, Noon(), leave)


async def keep(database: Database, contacts: Sequence[Known]) -> list[str]:
    await MongoStore(database).save(Changes(contacts=list(contacts)), None, NOW)
    return [one.contact.customer_id for one in contacts]


async def pairs(database: Database) -> dict[Customers, float | None]:
    found = await ReviewStore(MatchStore(database)).queue(None, 100_000)
    return {one.customers: one.proposal.probability for one in found}


async def test_whatever_the_order_and_however_often_the_same_pairs_are_found(database: Database) -> None:
    made = people(25, seed=21)
    ids = await keep(database, [person(number, record) for number, record in enumerate(made.records)])
    matching = matching_of(MatchStore(database))
    await matching.take(ids)
    at_once = await pairs(database)
    assert len(at_once) > 10
    await database["match_pairs"].delete_many({})
    await database["match_records"].delete_many({})
    order = ids + ids[::2]
    random.Random(3).shuffle(order)
    for who in order:
        await matching.take([who])
    assert await pairs(database) == at_once
    await matching.take([], touched=ids)
    assert await pairs(database) == at_once


async def test_a_record_that_changes_or_goes_takes_its_pairs_along(database: Database) -> None:
    record = people(1, seed=1).records[0] | {"given": "ann", "family": "lee", "birth": "1980-02-03"}
    one, other = person(1, record), person(2, record)
    ids = await keep(database, [one, other])
    matching = matching_of(MatchStore(database))
    await matching.take(ids)
    assert set(await pairs(database)) == {couple(*ids)}
    stranger = person(2, {**dict.fromkeys(record, ""), "given": "zoe", "family": "quirk"})
    await keep(database, [stranger])
    await matching.take(ids[1:])
    assert await pairs(database) == {}
    await keep(database, [other])
    await matching.take(ids[1:])
    assert set(await pairs(database)) == {couple(*ids)}
    await database["contacts"].delete_one({"_id": ids[0]})
    await matching.take(ids[:1])
    assert await pairs(database) == {}
    assert set(await MatchStore(database).kept(ids)) == {ids[1]}
    assert await database["match_pairs"].count_documents({}) == 0


async def test_merged_customers_are_one_record_and_two_again_when_parted(database: Database) -> None:
    record = people(1, seed=1).records[0] | {
        "given": "ann",
        "family": "lee",
        "birth": "1980-02-03",
        "email": "a@lee.example",
    }
    ann, anne, other = (
        person(n, record | more) for n, more in enumerate(({}, {"email": "b@lee.example"}, {"email": ""}))
    )
    ids = await keep(database, [ann, anne, other])
    matching = matching_of(MatchStore(database))
    await matching.take(ids)
    assert len(await pairs(database)) == 3
    merge = Merge(uuid7(NOW), ids[0], ids[1], NOW, "me")
    parts = merged({ids[0]: ann, ids[1]: anne}, merge)
    root, _ = regrouped(parts, ids[0], NOW)
    await MongoStore(database).save(Changes([root, parts[ids[1]]], merges=[merge]), None, NOW)
    await matching.take(ids[1:2])
    kept = await MatchStore(database).kept(ids)
    assert kept.keys() == {ids[0], ids[2]}
    assert kept[ids[0]].members == (ids[1],)
    assert set(await pairs(database)) == {couple(ids[0], ids[2])}
    undone = replace(merge, undone_at=NOW, undone_by="me")
    await MongoStore(database).save(Changes([ann, anne], merges=[undone]), None, NOW)
    await matching.take(ids[:2])
    assert set(await pairs(database)) == {couple(ids[0], ids[2]), couple(ids[1], ids[2])}


async def test_whoever_told_two_apart_told_all_of_both_apart(database: Database) -> None:
    record = people(1, seed=1).records[0] | {"given": "ann", "family": "lee", "birth": "1980-02-03"}
    contacts = [person(n, record) for n in range(3)]
    ids = await keep(database, contacts)
    matching, queue = matching_of(MatchStore(database)), ReviewStore(MatchStore(database))
    await matching.take(ids)
    name = "~".join(couple(ids[0], ids[1]))
    await queue.decide(name, Decided("rejected", "me", NOW), None)
    assert name not in {one.name for one in await queue.queue(None, 10)}
    await matching.take([], touched=ids)
    merge = Merge(uuid7(NOW), ids[2], ids[1], NOW, "me")
    parts = merged({ids[2]: contacts[2], ids[1]: contacts[1]}, merge)
    root, _ = regrouped(parts, ids[2], NOW)
    await MongoStore(database).save(Changes([root, parts[ids[1]]], merges=[merge]), None, NOW)
    await matching.take(ids)
    assert await pairs(database) == {}


async def test_reported_pairs_stay_whatever_their_probability_and_whatever_order_they_come_in(
    database: Database,
) -> None:
    made = people(3, seed=5)
    ids = await keep(database, [person(n, record) for n, record in enumerate(made.records[:2])])
    conflict = Conflict(ids[0], ids[1], ("card:1", "card:2"))
    matching = matching_of(MatchStore(database))
    await matching.take(ids[:1])
    await MongoStore(database).save(Changes(conflicts=[conflict]), None, NOW)
    await matching.take([], touched=ids[:1])
    assert await pairs(database) == {}, "the other is not there yet"
    await matching.take(ids[1:])
    [pair] = await ReviewStore(MatchStore(database)).queue(None, 10)
    assert (pair.customers, pair.proposal.identifiers) == (couple(*ids), ("card:1", "card:2"))
    assert not pair.proposal.found


@pytest.mark.parametrize("shared", ["phone", "address"])
async def test_a_thousand_records_that_share_a_value_are_not_held_against_each_other(
    database: Database, shared: str
) -> None:
    made = people(500, seed=31).records[:1_000]
    same = (
        {"phone": "0301234567"}
        if shared == "phone"
        else {"street": "high street", "number": "1", "postcode": "yo1 1aa", "city": "york"}
    )
    contacts = [person(n, record | {"email": "", "birth": ""} | same) for n, record in enumerate(made)]
    ids = await keep(database, contacts)
    store = MatchStore(database)
    matching = matching_of(store)
    for start in range(0, len(ids), 100):
        await matching.take(ids[start : start + 100])
    held = [len(who) for who in await store.holders([record_of(one.published) for one in contacts[::20]])]
    # Of names that they share some are held against each other; of the shared value itself nobody.
    assert sum(held) / len(held) < 100
    found = await pairs(database)
    assert len(found) <= 10 * len(ids)


async def test_what_is_learnt_is_kept_for_all_instances_and_only_if_it_moved(database: Database) -> None:
    made = people(150, seed=41)
    ids = await keep(database, [person(n, record) for n, record in enumerate(made.records)])
    store = MatchStore(database)
    matching = matching_of(store)
    await matching.take(ids)
    learning = Learning(ModelStore(database, store), Noon(), "a")
    await learning.learn_if_due()
    other = MatchStore(database)
    model = await other.model()
    assert model.version == 1
    weights = model.knowledge("person").weights
    assert weights.matches > 30
    assert [one.tolist() for one in weights.m] == [
        one.tolist() for one in (await store.model()).of_party["person"].weights.m
    ]
    await learning.learn_if_due()
    await ModelStore(database, store).note_learning(NOW - timedelta(days=2), len(ids))
    await Learning(ModelStore(database, other), Noon(), "b").learn_if_due()
    assert (await other.model()).version == 1, "the same records teach the same"
    await matching.take(ids)
    found = await pairs(database)
    truth = {
        couple(a, b)
        for a, x in zip(ids, made.truth, strict=True)
        for b, y in zip(ids, made.truth, strict=True)
        if a < b and x == y
    }
    sure = {pair for pair, p in found.items() if p is not None and p >= 0.95}
    assert len(sure & truth) / len(sure) >= 0.95
    assert len(sure & truth) / len(truth) >= 0.75
    assert len(found.keys() & truth) / len(truth) >= 0.9


async def test_whom_two_surely_different_customers_claim_is_merged_with_neither(database: Database) -> None:
    record = people(1, seed=1).records[0] | {
        "given": "ann",
        "family": "lee",
        "birth": "",
        "email": "a@lee.example",
        "phone": "",
    }
    mother, daughter = (record | {"birth": born} for born in ("1950-02-03", "1981-11-28"))
    store = MatchStore(database)
    await store.want(Wanted(Limits(0.9, 0.2), 1), None)
    matching = matching_of(store)
    ids = await keep(database, [person(0, mother), person(1, daughter), person(2, record)])
    assert await matching.take(ids) == []
    assert len(await pairs(database)) >= 2
    await database["contacts"].delete_one({"_id": ids[1]})
    assert [one.customers for one in await matching.take([ids[1]], touched=ids)] == [couple(ids[0], ids[2])]


@pytest.mark.parametrize("step", ["put", "propose", "settle"])
async def test_whoever_ends_in_the_middle_begins_again(
    database: Database, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = people(1, seed=1).records[0] | {"given": "ann", "family": "lee", "birth": "1980-02-03"}
    ids = await keep(database, [person(0, record), person(1, record)])
    store = MatchStore(database)
    done = getattr(store, step)

    async def end(*what: Any) -> None:
        await done(*what)
        raise ConnectionError

    monkeypatch.setattr(store, step, end)
    with pytest.raises(ConnectionError):
        await matching_of(store).take(ids)
    monkeypatch.undo()
    await matching_of(store).take(ids)
    assert set(await pairs(database)) == {couple(*ids)}
