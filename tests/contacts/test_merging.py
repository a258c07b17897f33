"""Merging over the store in memory: what is kept, what is told, what is refused."""

from datetime import timedelta
from typing import Any, cast

import orjson
import pytest

from services.contacts.api.bodies import ContactChange
from services.contacts.domain.merging import Merge
from services.contacts.handlers import AlreadyMerged, Decision, Merging, NoSuchContact, NoSuchMerge, Said, SameContact
from shared.contracts.contacts import Contact
from shared.ids import uuid7
from shared.messaging import Received, Unit
from tests.contacts.memory import MemoryStore
from tests.contacts.test_handlers import NOW, Noon, a_unit, event, handlers, ids

ME = Decision("/keys/me", "same card")


def told(unit: Unit) -> list[tuple[str, str, dict[str, Any]]]:
    """Kind, key and data of what the unit would tell."""
    facts = []
    for record in unit.outgoing:
        kind = cast("bytes", dict(record.headers)["ce_type"]).decode().split(".")[2]
        facts.append((kind, (record.key or b"").decode(), orjson.loads(record.value or b"")))
    return facts


async def hear(store: MemoryStore, *events: Received) -> Unit:
    unit = a_unit()
    await handlers(store).hear(unit, events)
    assert not unit.rejected
    return unit


async def two(store: MemoryStore) -> tuple[str, str]:
    await hear(store, event("shop:1", name="Ann", email="a@b.de"))
    await hear(store, event("card:7", hours=1, name="Anna"))
    return store.identities["shop:1"], store.identities["card:7"]


async def merge(store: MemoryStore, survivor: str, absorbed: str) -> tuple[Merge, Unit]:
    unit = a_unit()
    return await Merging(store, Noon()).merge(unit, survivor, absorbed, ME), unit


async def undo(store: MemoryStore, merge_id: str) -> tuple[Merge, Unit]:
    unit = a_unit()
    return await Merging(store, Noon()).undo(unit, merge_id, Decision("/keys/other", "mother and daughter")), unit


async def golden(store: MemoryStore, customer: str) -> Contact:
    contact = await store.contact(customer)
    assert contact is not None
    return contact


async def test_a_merge_is_told_under_both_ids_and_the_survivor_has_changed() -> None:
    store = MemoryStore()
    ann, anna = await two(store)
    done, unit = await merge(store, ann, anna)
    first, second, third = told(unit)
    fact = {
        "merge_id": done.merge_id,
        "survivor": ann,
        "absorbed": anna,
        "turn": 1,
        "merged_at": "2026-01-02T00:00:00Z",
    }
    assert (first, second) == (("merged", ann, fact), ("merged", anna, fact))
    assert third[:2] == ("changed", ann)
    assert (third[2]["contact"]["name"], third[2]["contact"]["absorbed"]) == ("Anna", [anna])
    assert set(third[2]["changed"]) == {"name", "identifiers", "absorbed"}
    assert (done.merged_by, done.reason) == ("/keys/me", "same card")


async def test_whoever_is_asked_for_the_survivor_answers() -> None:
    store = MemoryStore()
    ann, anna = await two(store)
    await merge(store, ann, anna)
    (card,) = ids("card:7")
    assert await handlers(store).find(card) == await golden(store, anna) == await golden(store, ann)
    assert await store.page("", 10) == [await golden(store, ann)]
    assert await store.count() == 1


async def test_identities_stay_with_their_part_so_that_what_comes_goes_back_with_it() -> None:
    store = MemoryStore()
    ann, anna = await two(store)
    done, _ = await merge(store, ann, anna)
    assert await handlers(store).known([ids("card:7"), ids("shop:1")]) == [anna, ann]
    unit = await hear(store, event("card:7", "new:1", hours=2, language="de"))
    ((kind, key, data),) = told(unit)
    assert (kind, key, data["changed"]) == ("changed", ann, ["language", "identifiers"])
    assert store.identities["new:1"] == anna
    await undo(store, done.merge_id)
    assert ((await golden(store, ann)).language, (await golden(store, anna)).language) == (None, "de")


async def test_what_changes_nothing_of_the_survivor_is_kept_and_not_told() -> None:
    store = MemoryStore()
    ann, anna = await two(store)
    await merge(store, ann, anna)
    beat = store.contacts[ann].place.beat
    unit = await hear(store, event("shop:1", hours=0.5, name="Ann Old"))
    assert told(unit) == []
    assert store.contacts[ann].contact.name == "Ann Old"
    assert store.contacts[ann].place.beat == beat + 1
    unit = await hear(store, event("card:7", hours=0.5, name="Anna Old"))
    assert told(unit) == []
    assert store.contacts[ann].place.beat == beat + 1


async def test_a_part_that_changed_is_written_with_its_root_so_that_two_writers_meet() -> None:
    store = MemoryStore()
    ann, anna = await two(store)
    await merge(store, ann, anna)
    beat = store.contacts[ann].place.beat
    await hear(store, event("card:7", hours=0.7, email="older@b.de"))
    assert store.contacts[ann].place.beat == beat + 1


async def test_the_same_merge_again_is_answered_and_nothing_happens() -> None:
    store = MemoryStore()
    ann, anna = await two(store)
    done, _ = await merge(store, ann, anna)
    before = dict(store.contacts)
    again, unit = await merge(store, ann, anna)
    assert (again, told(unit), store.contacts) == (done, [], before)
    undone, _ = await undo(store, done.merge_id)
    before = dict(store.contacts)
    again, unit = await undo(store, done.merge_id)
    assert (again, told(unit), store.contacts) == (undone, [], before)


async def test_who_was_merged_already_is_refused_and_it_is_said_into_whom() -> None:
    store = MemoryStore()
    ann, anna = await two(store)
    await merge(store, ann, anna)
    with pytest.raises(AlreadyMerged) as refused:
        await merge(store, anna, ann)
    assert (refused.value.customer_id, refused.value.root) == (anna, ann)
    await hear(store, event("x:1"))
    other = store.identities["x:1"]
    for survivor, absorbed in ((anna, other), (other, anna)):
        with pytest.raises(AlreadyMerged):
            await merge(store, survivor, absorbed)
    await merge(store, other, ann)
    assert (await golden(store, anna)).customer_id == other


async def test_nobody_can_be_merged_into_themselves_or_into_nobody() -> None:
    store = MemoryStore()
    ann, _ = await two(store)
    nobody = uuid7(NOW + timedelta(days=1))
    with pytest.raises(SameContact):
        await merge(store, ann, ann)
    for survivor, absorbed in ((ann, nobody), (nobody, ann)):
        with pytest.raises(NoSuchContact):
            await merge(store, survivor, absorbed)
    with pytest.raises(NoSuchMerge):
        await undo(store, nobody)


async def test_an_undone_merge_is_told_under_both_ids_and_both_are_told_anew() -> None:
    store = MemoryStore()
    ann, anna = await two(store)
    done, _ = await merge(store, ann, anna)
    undone, unit = await undo(store, done.merge_id)
    facts = told(unit)
    assert [(kind, key) for kind, key, _ in facts] == [
        ("unmerged", ann),
        ("unmerged", anna),
        ("changed", ann),
        ("changed", anna),
    ]
    assert facts[0][2]["turn"] == 2
    names = [data["contact"]["name"] for kind, _, data in facts if kind == "changed"]
    versions = [data["contact"]["version"] for kind, _, data in facts if kind == "changed"]
    assert (names, versions) == (["Ann", "Anna"], [3, 2])
    assert "absorbed" not in facts[2][2]["contact"]
    assert (undone.undone_by, undone.undo_reason) == ("/keys/other", "mother and daughter")
    assert await store.merges_of([ann], None, 5) == [undone]


async def test_they_can_be_merged_again_the_other_way_round() -> None:
    store = MemoryStore()
    ann, anna = await two(store)
    first, _ = await merge(store, ann, anna)
    await undo(store, first.merge_id)
    await merge(store, anna, ann)
    assert (await golden(store, ann)).customer_id == anna
    assert store.contacts[ann].place.turn == 1


async def test_a_person_changes_whichever_part_they_name_and_reads_the_whole() -> None:
    store = MemoryStore()
    ann, anna = await two(store)
    await merge(store, ann, anna)
    change = ContactChange(name="Ann Sample", customer=ids("shop:1", "card:7"))
    said = Said(change, "/keys/me", {"name"})
    contact = await handlers(store).change(a_unit(), anna, said, version=2)
    assert (contact.customer_id, contact.name, contact.version) == (ann, "Ann Sample", 3)
