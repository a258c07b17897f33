"""Folding orders into scores, telling what has moved, reading at a moment. On stores in memory."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings, strategies as st

from services.scoring.domain.population import Population, changes
from services.scoring.domain.purchases import Order, Purchases
from services.scoring.handlers import Scores, Sweeping
from shared.contracts.fact import Reason
from shared.messaging import Received, Unit
from tests.scoring.events import customer, ordered
from tests.scoring.memory import MemoryCustomers, MemoryPopulation, MemoryTransactions, SetClock, new_unit, told
from tests.scoring.orders import START, on, orders, stories, synthetic_base
from tests.scoring.test_score import HABITUAL, MODEL


@dataclass
class World:
    customers: MemoryCustomers = field(default_factory=MemoryCustomers)
    population: MemoryPopulation = field(default_factory=MemoryPopulation)
    clock: SetClock = field(default_factory=lambda: SetClock(START + timedelta(days=200)))

    def __post_init__(self) -> None:
        self.scores = Scores(self.customers, self.population, self.clock, 90, "USD", MODEL)

    async def fold(self, *events: Received) -> Unit:
        unit = new_unit()
        await self.scores.fold(unit, events)
        return unit

    async def base(self) -> Population:
        return (await self.population.gather(new_unit().session))[0]


async def test_an_order_changes_the_score_and_the_change_is_told_once() -> None:
    world = World()
    unit = await world.fold(ordered(1, on("2021-03-01", "10.10")), ordered(1, on("2021-03-05", "0.05")))
    (score,) = told(unit)
    assert (score.customer_id, score.purchases, score.money) == (customer(1), 2, Decimal("10.15"))
    assert score.value is not None
    assert world.customers.known[customer(1)].score == score
    assert unit.outgoing[0].key == customer(1).encode()
    assert not unit.rejected


async def test_a_score_is_never_of_an_earlier_moment_than_the_one_told_before_it() -> None:
    """A clock that jumps back, or another instance's, would make the newest score look old to all that listen."""
    world = World()
    (first,) = told(await world.fold(ordered(1, on("2021-03-01"))))
    world.clock.at -= timedelta(seconds=2)
    (second,) = told(await world.fold(ordered(1, on("2021-03-05"))))
    assert (second.purchases, second.as_of) == (2, first.as_of)


@settings(deadline=None, max_examples=60)
@given(events=st.lists(st.tuples(st.integers(1, 3), orders), max_size=25), data=st.data())
def test_any_interleaving_and_any_batches_end_in_the_same_scores_and_the_same_base(
    events: list[tuple[int, Order]], data: st.DataObject
) -> None:
    facts = [ordered(*event) for event in events]
    shuffled, size = data.draw(st.permutations(facts)), data.draw(st.integers(1, 25))

    async def play() -> None:
        at_once, in_parts = World(), World()
        await at_once.fold(*facts)
        for begin in range(0, len(shuffled), size):
            await in_parts.fold(*shuffled[begin : begin + size])
        assert in_parts.customers.known == at_once.customers.known
        assert (await in_parts.base()).pack() == (await at_once.base()).pack()

    asyncio.run(play())


@settings(deadline=None, max_examples=60)
@given(story=stories(), data=st.data())
def test_returns_and_cancellations_in_any_order_end_in_the_scores_of_what_is_left(
    story: tuple[list[Order], list[Order]], data: st.DataObject
) -> None:
    told_, left = story
    shuffled, size = data.draw(st.permutations(told_)), data.draw(st.integers(1, 10))

    async def play() -> None:
        whole, kept = World(), World()
        for begin in range(0, len(shuffled), size):
            await whole.fold(*(ordered(1, order) for order in shuffled[begin : begin + size]))
        await kept.fold(*(ordered(1, order) for order in left))
        times = {"first_purchase", "last_purchase", "recency_days"}  # a day keeps those of its void orders
        score, expected = await whole.scores.read(customer(1)), await kept.scores.read(customer(1))
        assert (score is None) == (not told_)
        if score and expected:
            assert score.model_dump(exclude=times) == expected.model_dump(exclude=times)
        assert (await whole.base()).pack() == (await kept.base()).pack()

    asyncio.run(play())


async def test_a_customer_without_any_order_left_is_told_zeros_without_predictions_and_leaves_the_base() -> None:
    world, order = World(), on("2021-03-01", "10")
    await world.fold(ordered(1, order), ordered(2, order))
    (score,) = told(await world.fold(ordered(1, Order.cancelled(order.at, order.total))))
    assert (score.purchases, score.frequency, score.money, score.first_purchase) == (0, 0, Decimal(0), None)
    assert (score.p_alive, score.value, score.segment, score.model, score.mean_spend) == (None,) * 5
    assert await world.scores.read(customer(1)) == score
    assert (await world.base()).customers == 1
    assert sum(row.customers for row in await world.customers.summary()) == 1
    world.clock.at += timedelta(days=300)
    transactions = MemoryTransactions()
    await Sweeping(world.scores, transactions).everybody()
    assert {score.customer_id for score in transactions.told()} == {customer(2)}
    (back,) = told(await world.fold(ordered(1, on("2021-04-01", "3"))))
    assert (back.purchases, back.money) == (1, Decimal(3))
    assert back.value is not None


async def test_a_return_is_told_as_less_money() -> None:
    world, order = World(), on("2021-03-01", "10")
    unit = await world.fold(ordered(1, order), ordered(1, Order.returned(order.at, Decimal(4))))
    assert [(score.purchases, score.money) for score in told(unit)] == [(1, Decimal(6))]


async def test_the_past_is_read_without_what_was_cancelled_since() -> None:
    world, first, second = World(), on("2021-03-01", "10"), on("2021-04-01", "20")
    await world.fold(ordered(1, first), ordered(1, second), ordered(1, Order.cancelled(first.at, first.total)))
    then = await world.scores.read(customer(1), datetime.fromisoformat("2021-03-15T00:00:00Z"))
    assert then is not None
    assert (then.purchases, then.money, then.value) == (0, Decimal(0), None)


async def test_a_batch_whose_transaction_is_run_again_tells_the_same_again() -> None:
    world = World()
    await world.fold(ordered(1, on("2021-03-01")))
    before, rows = dict(world.customers.known), list(world.population.changes)
    events = [ordered(1, on("2021-03-08")), ordered(2, on("2021-03-08"))]
    aborted = await world.fold(*events)
    world.customers.known, world.population.changes = before, rows
    again = await world.fold(*events)
    assert list(told(again)) == list(told(aborted))


async def test_an_order_in_a_foreign_currency_is_a_dead_letter_and_harms_nobody() -> None:
    world = World()
    unit = await world.fold(ordered(1, on("2021-03-01"), currency="EUR"), ordered(1, on("2021-03-02", "7")))
    assert [rejected.reason for rejected in unit.rejected] == [Reason.WRONG_CURRENCY]
    assert [score.money for score in told(unit)] == [Decimal(7)]


async def test_a_customer_with_nothing_but_refused_orders_does_not_come_into_being() -> None:
    world = World()
    unit = await world.fold(ordered(1, on("2021-03-01"), currency="EUR"))
    assert not unit.outgoing
    assert not world.customers.known
    assert await world.scores.read(customer(1)) is None


async def test_the_order_that_would_burst_the_books_is_refused_and_no_other() -> None:
    world = World()
    huge = [on("2021-03-01", "999999999999"), on("2021-03-02", "5"), on("2021-03-03", "0.5")]
    unit = await world.fold(*(ordered(1, order) for order in huge))
    assert [rejected.reason for rejected in unit.rejected] == [Reason.INVALID_DATA]
    assert [score.money for score in told(unit)] == [Decimal("999999999999.50")]


async def test_free_orders_count_as_purchases() -> None:
    (score,) = told(await World().fold(ordered(1, on("2021-03-01", "0")), ordered(1, on("2021-03-09", "0"))))
    assert (score.purchases, score.frequency, score.money) == (2, 1, Decimal(0))
    assert score.expected_spend is not None


async def test_a_score_is_read_for_now_and_for_any_moment_of_the_past() -> None:
    world = World()
    await world.fold(ordered(1, on("2021-03-01", "10")), ordered(1, on("2021-04-01", "20")))
    now = await world.scores.read(customer(1))
    then = await world.scores.read(customer(1), datetime.fromisoformat("2021-03-15T00:00:00Z"))
    assert now is not None
    assert then is not None
    assert (now.as_of, now.purchases, now.money) == (world.clock.at, 2, Decimal(30))
    assert (then.purchases, then.money, then.recency_days) == (1, Decimal(10), 13.5)
    assert await world.scores.read(customer(1), datetime.fromisoformat("2021-02-28T23:59:59Z")) is None
    assert await world.scores.read(customer(2)) is None


async def fill(world: World, base: list[Purchases]) -> None:
    for number, purchases in enumerate(base):
        events = [on(str((START - timedelta(days=18_628 - d.day)).date()), str(d.micros / 1e6)) for d in purchases.days]
        await world.fold(*(ordered(number, order) for order in events))


async def test_time_alone_tells_only_those_whose_scores_move_and_each_once() -> None:
    base, end = synthetic_base(200, 500, seed=4)
    world, transactions = World(), MemoryTransactions()
    world.clock.at = end
    await fill(world, base)
    assert await Sweeping(world.scores, transactions).everybody() == 0
    world.clock.at = end + timedelta(days=7)
    moved = await Sweeping(world.scores, transactions).everybody()
    assert 0 < moved < 200
    assert {score.as_of for score in transactions.told()} == {world.clock.at}
    assert await Sweeping(world.scores, transactions).everybody() == 0


async def test_the_first_model_tells_everybody() -> None:
    base, end = synthetic_base(30, 300, seed=8)
    world, transactions = World(), MemoryTransactions()
    world.clock.at, world.scores.model = end, None
    await fill(world, base)
    assert all(one.score.value is None for one in world.customers.known.values())
    assert await Sweeping(world.scores, transactions).everybody() == 0
    world.scores.model = MODEL
    assert await Sweeping(world.scores, transactions).everybody() == 30
    assert all(one.score.value is not None for one in world.customers.known.values())


async def test_a_sweep_in_several_sheets_meets_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.scoring.handlers.sweeping.SWEEP_CUSTOMERS", 7)
    monkeypatch.setattr("services.scoring.handlers.sweeping.TELL_CUSTOMERS", 3)
    base, end = synthetic_base(30, 300, seed=8)
    world, transactions = World(), MemoryTransactions()
    world.clock.at, world.scores.model = end, None
    await fill(world, base)
    world.scores.model = MODEL
    assert await Sweeping(world.scores, transactions).everybody() == 30
    assert len(transactions.units) == 4 * 3 + 1


async def test_the_base_follows_the_states() -> None:
    world = World()
    await world.fold(*(ordered(1, Order(day_at, Decimal(20))) for day_at in (d.at for d in habitual_orders())))
    assert (await world.base()).pack() == Population().plus([changes([(Purchases(), HABITUAL)])]).pack()


def habitual_orders() -> list[Order]:
    return [on(f"2021-{month:02}-{day:02}", "20") for month in (3, 1, 2) for day in (22, 8, 15, 1)]


async def test_where_a_customer_stands_is_told_and_changes_when_it_has_clearly_changed() -> None:
    base, end = synthetic_base(200, 500, seed=4)
    world, transactions = World(), MemoryTransactions()
    world.clock.at = end
    await fill(world, base)
    assert all(one.score.rfm is None for one in world.customers.known.values())
    world.scores.standing = (await world.base()).standing
    assert await Sweeping(world.scores, transactions).everybody() == 200
    stands = [score.rfm for score in transactions.told()]
    assert {place.recency for place in stands if place} == {1, 2, 3, 4, 5}
    assert {score.value_class for score in transactions.told()} == {"A", "B", "C"}
    assert await Sweeping(world.scores, transactions).everybody() == 0

    (bought,) = told(await world.fold(*(ordered(0, on(f"2022-06-{day:02}", "500")) for day in range(1, 25))))
    assert bought.rfm is not None
    assert (bought.rfm.segment, bought.value_class) == ("champions", "A")


async def test_nobody_stood_anywhere_in_a_base_of_which_nothing_is_kept() -> None:
    base, end = synthetic_base(200, 500, seed=4)
    world = World()
    world.clock.at = end
    await fill(world, base)
    world.scores.standing = (await world.base()).standing
    now, then = await world.scores.read(customer(1)), await world.scores.read(customer(1), end)
    assert now is not None
    assert now.rfm is not None
    assert then is not None
    assert then.rfm is None


async def test_as_time_passes_those_who_are_due_are_told_what_a_sweep_of_everybody_would_tell() -> None:
    base, end = synthetic_base(200, 500, seed=4)
    world, everybody = World(), World()
    for one in (world, everybody):
        one.clock.at = end
        await fill(one, base)
    looked, swept = MemoryTransactions(), MemoryTransactions()
    for day in range(1, 100):
        world.clock.at = everybody.clock.at = end + timedelta(days=day)
        told = await Sweeping(world.scores, looked).due()
        assert told == await Sweeping(everybody.scores, swept).everybody()
        assert await Sweeping(world.scores, looked).due() == 0
    assert len(looked.told()) > 50
    assert {(score.customer_id, score.as_of) for score in looked.told()} == {
        (score.customer_id, score.as_of) for score in swept.told()
    }


async def test_a_purchase_in_between_is_not_postponed() -> None:
    world = World()
    await world.fold(ordered(1, on("2021-03-01")))
    due = world.customers.known[customer(1)].due
    await world.customers.postpone([(customer(1), due - 1, due + 50)])
    assert world.customers.known[customer(1)].due == due
    await world.customers.postpone([(customer(1), due, due + 50)])
    assert world.customers.known[customer(1)].due == due + 50
