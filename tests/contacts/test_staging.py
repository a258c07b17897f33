"""What scores do to the life cycle, on a store in memory and a unit that collects what would be told."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from services.contacts.domain.lifecycle import timeline
from services.contacts.handlers.staging import Lapsing, Staging
from shared.contracts.scoring import Score, ScoreChanged, ScoreWithdrawn
from shared.messaging import Received
from tests.contacts.memory import MemoryStore
from tests.contacts.test_handlers import NOW, Noon, a_unit, event, handlers, told
from tests.contacts.test_merging import merge, two

DAY = timedelta(days=1)
STRANGER = "019b7a2c-5c00-7d3e-a1b2-0c9d8e7f6a5b"


async def ann(store: MemoryStore) -> str:
    await handlers(store).hear(a_unit(), [event("shop:1", name="Ann", stage="lead", hours=-9999)])
    return next(iter(store.contacts))


def scored(customer: str, first: float, last: float, as_of: float, segment: Any = None) -> Received:
    figures: dict[str, Any] = {"purchases": 1, "frequency": 0, "money": "1", "currency": "USD", "horizon_days": 90}
    times = {"first_purchase": NOW - DAY * first, "last_purchase": NOW - DAY * last, "as_of": NOW - DAY * as_of}
    score = Score(customer_id=customer, segment=segment, **figures, **times)
    return replace(event("x:1"), fact=ScoreChanged(score=score), source="/rapport/scoring")


def withdrawn(customer: str, as_of: float, *, restricted: bool = False) -> Received:
    fact = ScoreWithdrawn(customer_id=customer, as_of=NOW - DAY * as_of, restricted=restricted)
    return replace(event("x:1"), fact=fact, source="/rapport/scoring")


def staging(store: MemoryStore, days: float | None = None) -> Staging:
    return Staging(store, store, Noon(), Lapsing(days))


async def test_it_does_not_matter_which_scores_come_in_one_batch() -> None:
    """A lapse and the purchase that ended it, told in one batch, were one news and no lapse."""
    lives = []
    for sizes in ((3,), (1, 1, 1), (2, 1)):
        store = MemoryStore()
        customer = await ann(store)
        scores = [scored(customer, 200, 200, 200), scored(customer, 200, 200, 100, "gone"), scored(customer, 200, 9, 9)]
        for size in sizes:
            await staging(store).follow(a_unit(), scores[:size])
            scores = scores[size:]
        lives.append([step.stage for step in timeline(store.contacts[customer].course)])
    assert lives == [["lead", "customer", "lapsed", "customer"]] * 3


async def test_the_same_score_again_and_one_that_moves_nobody_tell_nothing() -> None:
    store = MemoryStore()
    customer = await ann(store)
    first = a_unit()
    await staging(store).follow(first, [scored(customer, 9, 9, 9)])
    ((kind, data),) = told(first)
    assert (kind, data["changed"], data["contact"]["stage"]) == ("changed", ["stage", "lifecycle"], "customer")
    again = a_unit()
    await staging(store).follow(
        again, [scored(customer, 9, 9, 9), scored(customer, 9, 2, 2), scored(STRANGER, 1, 1, 1)]
    )
    assert again.outgoing == []


async def test_days_without_a_purchase_are_a_lapse_where_they_are_set() -> None:
    for days, stage in ((None, "customer"), (100, "customer"), (30, "lapsed")):
        store = MemoryStore()
        customer = await ann(store)
        await staging(store, days).follow(a_unit(), [scored(customer, 90, 90, 90), scored(customer, 90, 90, 50)])
        assert timeline(store.contacts[customer].course)[-1].stage == stage


async def test_whoever_is_parted_from_those_who_bought_is_no_customer_any_more() -> None:
    """As of the same moment too: scoring's clock stands still where nobody buys."""
    for batches in ([1, 1, 1, 1], [4], [2, 2]):
        store = MemoryStore()
        customer = await ann(store)
        stages = []
        line = [
            scored(customer, 9, 9, 5),
            withdrawn(customer, 5),
            scored(customer, 9, 9, 5),
            withdrawn(customer, 5),
        ]
        for size in batches:
            await staging(store).follow(a_unit(), line[:size])
            line = line[size:]
            stages.append(store.contacts[customer].contact.stage)
        assert stages[-1] == "lead"
        assert batches != [1, 1, 1, 1] or stages == ["customer", "lead", "customer", "lead"]
        assert timeline(store.contacts[customer].course)[-1].stage == "lead"


async def test_whoever_is_absorbed_has_bought_what_they_bought() -> None:
    store = MemoryStore()
    anna, customer = await two(store)
    await staging(store).follow(a_unit(), [scored(customer, 9, 9, 5)])
    await merge(store, anna, customer)
    unit = a_unit()
    await staging(store).follow(unit, [withdrawn(customer, 4), scored(anna, 9, 9, 4), withdrawn(STRANGER, 4)])
    assert [step.stage for step in await staging(store).history(customer)] == ["customer"]
    assert any(mark.what == "bought" for mark in store.contacts[customer].course)


async def test_who_is_restricted_is_moved_by_no_score_until_it_is_told_again() -> None:
    store = MemoryStore()
    customer = await ann(store)
    store.restrictions.add(customer)
    unit = a_unit()
    await staging(store).follow(unit, [scored(customer, 9, 9, 5), withdrawn(customer, 4)])
    assert not unit.outgoing
    assert store.contacts[customer].contact.stage == "lead"
    store.restrictions.clear()
    await staging(store).follow(a_unit(), [scored(customer, 9, 9, 3)])
    assert store.contacts[customer].contact.stage == "customer"


async def test_that_a_score_must_not_be_used_does_not_say_that_nothing_was_bought() -> None:
    """Heard after it was lifted too: contacts knows that before scoring does."""
    store = MemoryStore()
    customer = await ann(store)
    await staging(store).follow(a_unit(), [scored(customer, 9, 9, 5)])
    unit = a_unit()
    await staging(store).follow(unit, [withdrawn(customer, 4, restricted=True)])
    assert not unit.outgoing
    assert store.contacts[customer].contact.stage == "customer"
