"""The history of contacts over the store in memory: what is kept of each change, and the record of any moment."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from services.contacts.api.bodies import ContactChange, NewContact
from services.contacts.domain.changes import Author, HistoryErased, NotKnownThen
from services.contacts.domain.merging import Merge
from services.contacts.domain.ruling import Rule, in_force
from services.contacts.handlers import AlreadyMerged, Decision, Handlers, Merging, NoSuchContact, Said
from services.contacts.handlers.book import open_book
from services.contacts.handlers.looking_back import LookingBack
from shared.contracts.contacts import Contact
from shared.messaging import Received, Unit
from shared.mongo import Session
from tests.contacts.memory import MemoryStore
from tests.contacts.test_handlers import NOW, a_unit, all_fresh, event

ME = Decision("/keys/me", "same card", "Me")


class Ticking:
    """A clock that only goes when it is told to."""

    def __init__(self) -> None:
        self.time = NOW

    async def now(self, session: Session | None = None) -> datetime:
        return self.time

    async def witness(self, unit: Unit, events: Sequence[Received]) -> None:
        """Nothing to see."""


class Desk:
    """A service of contacts without servers."""

    def __init__(self) -> None:
        self.store, self.clock = MemoryStore(), Ticking()
        self.handlers = Handlers(self.store, self.clock, all_fresh)
        self.merging = Merging(self.store, self.clock)
        self.back = LookingBack(self.store, self.store)

    def tick(self, seconds: float = 1) -> datetime:
        self.clock.time += timedelta(seconds=seconds)
        return self.clock.time

    async def hear(self, *events: Received) -> None:
        await self.handlers.hear(a_unit(), events)

    async def change(self, customer: str, reason: str | None = None, **fields: Any) -> Contact:
        change = ContactChange.model_validate(fields)
        said = Said(change, "/keys/me", frozenset(change.model_fields_set), by="Me", reason=reason)
        return await self.handlers.change(a_unit(), customer, said)

    async def register(self, **fields: Any) -> str:
        new = NewContact.model_validate(fields)
        said = Said(new, "/keys/me", frozenset(new.model_fields_set), by="Me")
        return (await self.handlers.register(a_unit(), said)).customer_id

    async def merge(self, survivor: str, absorbed: str) -> Merge:
        return await self.merging.merge(a_unit(), survivor, absorbed, ME)

    async def undo(self, merge: Merge) -> Merge:
        return await self.merging.undo(a_unit(), merge.merge_id, Decision("/keys/me", "two people", "Me"))

    async def rule(self, **rules: Rule) -> None:
        """From now on, and for all that was said before."""
        self.store.rulebook.rules = in_force(rules)
        book = await open_book(self.store, a_unit(), self.store.contacts, self.clock.time)
        for customer, known in self.store.contacts.items():
            if known.place.root is None:
                book.judge_again(customer, Author("/keys/me", "Me", "another rule"))
        await self.store.save(book.changes(), None, self.clock.time)

    async def read(self, customer: str) -> Contact:
        contact = await self.store.contact(customer)
        assert contact is not None
        return contact

    async def entries(self, customer: str) -> list[dict[str, Any]]:
        found = await self.back.changes(await self.read(customer), None, 1000)
        return [vars(change) for _, change in found]


async def test_a_change_says_who_when_why_and_what_was_there_before() -> None:
    desk = Desk()
    ann = await desk.register(name="Ann", attributes={"size": 38})
    later = desk.tick()
    await desk.change(ann, "She told us", name="Anna", attributes={"size": 39, "hat": None})
    newest, first = await desk.entries(ann)
    assert [(one.field, one.before, one.after) for one in newest["fields"]] == [
        ("name", "Ann", "Anna"),
        ("attributes.size", 38, 39),
    ]
    assert (newest["kind"], newest["version"], newest["recorded_at"], newest["was_at"]) == ("changed", 2, later, NOW)
    author = newest["author"]
    assert (author.source, author.by, author.reason) == ("/keys/me", "Me", "She told us")
    assert newest["fields"][0].said_at == newest["said_at"] == later
    assert (first["kind"], first["version"]) == ("registered", 1)
    assert ("name", None, "Ann") in [one[:3] for one in first["fields"]]


async def test_a_channels_report_names_channel_and_event_and_one_without_news_leaves_nothing() -> None:
    desk = Desk()
    told = event("shop:1", name="Ann")
    await desk.hear(told)
    desk.tick()
    await desk.hear(event("shop:1", name="Ann", hours=1))
    await desk.hear(event("shop:1", name="Older", hours=-1))
    [entry] = await desk.entries(desk.store.identities["shop:1"])
    assert (entry["author"].source, entry["author"].event_id, entry["said_at"]) == ("/channels/shop", told.id, NOW)


async def test_of_lists_only_what_is_gone_and_what_is_new_is_kept() -> None:
    desk = Desk()
    await desk.hear(event("shop:1", emails=[{"typed": "a@b.de"}, {"typed": "c@d.de"}]))
    ann = desk.store.identities["shop:1"]
    desk.tick()
    await desk.hear(event("shop:1", "card:7", emails=[{"typed": "e@f.de"}], hours=1))
    fields = {one.field: (one.before, one.after) for one in (await desk.entries(ann))[0]["fields"]}
    assert fields["identifiers"] == ([], [{"scheme": "card", "value": "7"}])
    assert [one["typed"] for one in fields["emails"][1]] == ["e@f.de"]
    assert fields["emails"][0] == []


async def test_what_came_late_was_not_known_then() -> None:
    desk = Desk()
    await desk.hear(event("shop:1", name="Ann", hours=-48))
    ann, before = desk.store.identities["shop:1"], desk.clock.time
    desk.tick()
    await desk.hear(event("shop:1", phone="+4930123456", hours=-24))
    assert (await desk.back.as_of(ann, before)).phone is None
    assert (await desk.back.as_of(ann, desk.clock.time)).phone == "+4930123456"


async def test_before_the_registration_nothing_is_known_and_nobody_has_no_history() -> None:
    desk = Desk()
    ann = await desk.register(name="Ann")
    with pytest.raises(NotKnownThen):
        await desk.back.as_of(ann, NOW - timedelta(milliseconds=1))
    with pytest.raises(NoSuchContact):
        await desk.back.as_of("nobody", NOW)


async def test_who_was_registered_before_there_was_a_history_has_the_record_of_today_and_no_earlier_one() -> None:
    desk = Desk()
    ann = await desk.register(name="Ann")
    changed_at = desk.tick(10)
    await desk.change(ann, name="Anna")
    desk.store.history.clear()
    assert (await desk.back.as_of(ann, changed_at)).name == "Anna"
    with pytest.raises(NotKnownThen):
        await desk.back.as_of(ann, changed_at - timedelta(seconds=1))


async def test_what_was_merged_before_there_was_a_history_is_answered_by_who_answered_then() -> None:
    desk = Desk()
    ann, anna = await desk.register(name="Ann"), await desk.register(name="Anna")
    desk.tick()
    await desk.merge(ann, anna)
    desk.store.history.clear()
    assert (await desk.back.as_of(anna, desk.tick())).customer_id == ann
    with pytest.raises(NotKnownThen):
        await desk.back.as_of(anna, NOW)


async def test_what_comes_while_it_is_looked_up_is_not_taken_back_from_a_record_that_does_not_have_it() -> None:
    desk = Desk()
    ann = await desk.register(name="Ann", attributes={"a": 1})
    desk.tick()
    await desk.change(ann, name="Anna")
    read, moment = desk.store.contacts[ann], desk.clock.time
    desk.tick()
    await desk.change(ann, name="Annabel", attributes={"a": 2})
    desk.store.contacts[ann] = read  # as it was read a moment before that change
    assert await desk.back.as_of(ann, moment) == read.published
    assert (await desk.back.as_of(ann, NOW)).name == "Ann"


async def test_an_erased_change_is_no_record_any_more() -> None:
    desk = Desk()
    ann = await desk.register(name="Ann")
    desk.tick()
    await desk.change(ann, name="Anna")
    newest = max(desk.store.history.values(), key=lambda change: change.version)
    desk.store.history[newest.place] = newest.__class__(**{**vars(newest), "erased": True, "fields": ()})
    with pytest.raises(HistoryErased):
        await desk.back.as_of(ann, NOW)


async def test_what_is_kept_whole_of_the_absorbed_is_also_about_those_who_had_been_merged_into_them() -> None:
    desk = Desk()
    ann, bob, cat = [await desk.register(name=name) for name in ("Ann", "Bob", "Cat")]
    await desk.merge(bob, ann)
    await desk.merge(cat, bob)
    kept = {change.customer_id: change for change in desk.store.history.values() if change.kind == "absorbed"}
    assert (kept[ann].among, kept[bob].among) == ((), (ann,))


async def test_while_two_were_one_by_mistake_neither_shows_what_is_the_others() -> None:
    desk = Desk()
    mother, daughter = await desk.register(name="Mother"), await desk.register(name="Daughter")
    desk.tick()
    merge = await desk.merge(mother, daughter)
    desk.tick()
    await desk.change(daughter, phone="+4930999")
    desk.tick()
    await desk.undo(merge)
    hers, childs = await desk.entries(mother), await desk.entries(daughter)
    assert sorted(one["kind"] for one in hers) == ["absorbed", "changed", "freed", "merged", "registered", "unmerged"]
    assert "Daughter" not in repr(hers)
    assert "+4930999" not in repr(hers)
    assert "Mother" not in repr(childs)
    assert "+4930999" in repr(childs)


async def test_what_follows_for_one_while_they_were_one_does_not_show_what_is_the_others() -> None:
    """The mother's own words then replaced, or made room for, the daughter's."""
    desk = Desk()
    mother = await desk.register(name="Mother", phone="+4930111")
    desk.tick()
    daughter = await desk.register(name="Daughter", phones=[{"typed": "+4930222"}])
    desk.tick()
    merge = await desk.merge(mother, daughter)
    desk.tick()
    await desk.change(mother, name="Mother B", phone=None, attributes={"hat": 1})
    desk.tick()
    await desk.change(mother, phones=[{"typed": "+4930333"}])
    desk.tick()
    await desk.undo(merge)
    hers = await desk.entries(mother)
    assert "Daughter" not in repr(hers)
    assert "4930222" not in repr(hers)
    assert "Mother B" in repr(hers)
    assert "4930333" in repr(hers)
    childs = await desk.entries(daughter)
    assert "Mother" not in repr(childs)
    own = {one["kind"]: one for one in childs}
    assert own.keys() == {"freed", "unmerged", "merged", "absorbed", "registered"}
    assert "4930222" in repr(own["freed"]), "what was set free is the daughter's own"
    both = [one for _, one in await desk.back.history.changes_of([mother, daughter], None, 99)]
    assert "Daughter" in repr(both)


async def test_what_one_says_by_which_the_others_words_hold_again_is_not_shown_as_theirs() -> None:
    desk = Desk()
    await desk.rule(name=Rule(rule="most-complete"))
    mother, daughter = await desk.register(customer=[{"scheme": "shop", "value": "1"}]), await desk.register(name="x")
    await desk.hear(event("shop:1", name="Mother A"))
    desk.tick()
    await desk.change(daughter, name="Daughter Anna Lee")
    desk.tick()
    merge = await desk.merge(mother, daughter)
    desk.tick()
    await desk.hear(event("shop:1", "card:1", hours=1, name="Mother Bea Cleo Lee"))
    desk.tick()
    await desk.hear(event("shop:1", hours=2, name="Mother"))
    assert (await desk.read(mother)).name == "Daughter Anna Lee"
    desk.tick()
    await desk.undo(merge)
    assert (await desk.read(mother)).name == "Mother"
    assert "Daughter" not in repr(await desk.entries(mother))
    assert "Mother Bea" in repr(await desk.entries(mother))


async def test_another_rule_is_a_version_with_its_reason_and_what_was_before_it() -> None:
    desk = Desk()
    await desk.rule(name=Rule(rule="source-priority", sources=("/channels/erp",)))
    await desk.hear(event("shop:1", source="/channels/erp", name="Ann"))
    await desk.hear(event("shop:1", source="/channels/web", hours=1, name="Anna"))
    ann, before = desk.store.identities["shop:1"], desk.clock.time
    assert (await desk.read(ann)).name == "Ann"
    desk.tick()
    await desk.rule()
    newest = (await desk.entries(ann))[0]
    assert [one[:3] for one in newest["fields"]] == [("name", "Ann", "Anna")]
    assert (newest["author"].reason, newest["version"]) == ("another rule", 2)
    assert (await desk.back.as_of(ann, before)).name == "Ann"
    assert desk.store.contacts[ann].also == {}


RULES: list[dict[str, Rule]] = [
    {},
    {"name": Rule(rule="most-complete"), "address": Rule(rule="most-complete")},
    {
        "name": Rule(rule="source-priority", sources=("/channels/1",)),
        "attributes.a": Rule(rule="source-priority", sources=("/channels/0",)),
    },
]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("rule"), st.integers(0, 2), st.just(0), st.just(0)),
        st.tuples(st.just("hear"), st.integers(0, 3), st.integers(0, 10), st.integers(-3, 3)),
        st.tuples(st.just("merge"), st.integers(0, 3), st.integers(0, 3), st.just(0)),
        st.tuples(st.just("undo"), st.integers(0, 9), st.just(0), st.just(0)),
    ),
    max_size=14,
)
SAYINGS: list[dict[str, Any]] = [
    {"name": "Ann"},
    {"name": "Bob", "attributes": {"a": 1}},
    {"attributes": {"a": True, "b": "x"}, "interests": {"hats": True}},
    {"attributes": {"a": None, "b": 2}, "preferences": {"day": "monday"}},
    {"emails": [{"typed": "a@b.de"}, {"typed": "x@y.de", "purpose": "billing"}]},
    {"phones": [{"typed": "030 1234567"}], "address": {"city": "Bonn", "country": "DE"}},
    {"consents": [{"purpose": "ads", "channel": "any", "status": "granted", "given_at": "2026-01-01T00:00:00Z"}]},
    {"phones": [{"typed": "030 1234567", "country": "AT"}], "name_parts": {"given": "Ann", "family": "Lee"}},
    {"links": [{"kind": "sold-through", "to": [{"scheme": "shop", "value": "3"}], "title": "Anchor"}]},
    {"links": [{"kind": "referred-by", "to": [{"scheme": "shop", "value": "2"}]}], "roles": [{"role": "agent"}]},
    {"roles": [{"role": "supplier", "until": "2026-01-01T00:00:00Z"}, {"role": "agent"}], "stage": "lead"},
]


@settings(max_examples=150)
@given(STEPS, st.booleans())
async def test_the_record_of_every_moment_is_what_was_answered_then(steps: list[Any], ticks: bool) -> None:
    """Whatever is said, merged and parted; `ticks`: or all of it within one millisecond, where the last holds."""
    desk, answered = Desk(), {}
    people = [await desk.register(customer=[{"scheme": "shop", "value": str(n)}]) for n in range(4)]
    merges: list[Merge] = []
    for verb, first, second, hours in steps:
        if ticks:
            desk.tick()
        if verb == "hear":
            source = f"/channels/{hours % 2}"
            await desk.hear(event(f"shop:{first}", source=source, hours=hours, **SAYINGS[second]))
        elif verb == "merge" and first != second:
            try:
                merges.append(await desk.merge(people[first], people[second]))
            except AlreadyMerged:
                continue
        elif verb == "rule":
            await desk.rule(**RULES[first])
        elif verb == "undo" and merges:
            await desk.undo(merges[first % len(merges)])
        for one in people:
            answered[desk.clock.time, one] = await desk.read(one)
    for (moment, one), contact in answered.items():
        assert await desk.back.as_of(one, moment) == contact
