"""By which channel a customer came: the same after any order of events; and scores by it, on stores in memory."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from services.scoring.domain.channels import UNKNOWN, Channel, FirstOrder, code, code_of, earliest
from services.scoring.domain.due import due_days
from services.scoring.domain.hindsight import Hindsight, then
from services.scoring.domain.lifetime_value import Terms as ValueTerms
from services.scoring.domain.mbg_cnbd import MbgCnbd
from services.scoring.domain.model import ByChannel, Model, Parameters
from services.scoring.domain.population import Ranked
from services.scoring.domain.prediction import Histories, Predictions, predict
from services.scoring.domain.purchases import Order, day_of
from services.scoring.domain.purchasing import PLAIN, Family, Purchasing, shifted
from services.scoring.domain.yearly import STEADY, Season
from services.scoring.handlers import Sweeping, Valuing
from shared.messaging import Received
from tests.scoring.events import customer, fact_of, ordered, received
from tests.scoring.memory import MemoryTransactions
from tests.scoring.orders import START, on, synthetic_base
from tests.scoring.seasonal import SUMMER_AND_CHRISTMAS
from tests.scoring.test_score import HABITUAL, MODEL, PARAMETERS
from tests.scoring.test_scores import World

NOW = START + timedelta(days=900)
SHIFT = (0.6, -0.8, 0.3, -0.2)
APART = ByChannel(PLAIN, (Channel("till", 80, tuple(-s for s in SHIFT)), Channel("web", 90, SHIFT)))
BY_CHANNEL = replace(PARAMETERS, by_channel=APART)
firsts = st.builds(FirstOrder, st.integers(0, 3), st.sampled_from("abc"), st.sampled_from(["till", "web"]))


def by_channel(model: Model = MODEL) -> Model:
    return replace(model, fit=replace(model.fit, parameters=BY_CHANNEL))


@given(st.lists(firsts, max_size=6), st.data())
def test_the_earliest_order_is_the_same_in_any_order_and_however_often(
    orders: list[FirstOrder], data: st.DataObject
) -> None:
    again = data.draw(st.permutations([*orders, *orders]))
    found, other = None, None
    for one in orders:
        found = earliest(found, one)
    for one in again:
        other = earliest(one, other)
    assert found == other == min(orders, default=None)


def test_codes_are_the_same_for_ever_and_fit_the_database() -> None:
    assert code_of("web-shop") == code_of("web-shop") != code_of("till")
    assert code_of("till") == 38_576_008_062_107_327
    assert all(0 < code_of(str(n)) < 2**56 for n in range(100))
    assert code(None) == UNKNOWN


def event(channel: str, order: Order, number: int) -> Received:
    fact = fact_of(customer(1), order)
    return received(fact.model_copy(update={"channel": channel, "order_id": f"{channel}-{number}"}))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(["till", "web", "call-centre"]), st.integers(0, 2), st.booleans()), max_size=6),
    st.data(),
)
def test_any_order_of_orders_and_cancellations_ends_with_the_same_first_order(
    story: list[tuple[str, int, bool]], data: st.DataObject
) -> None:
    """A cancelled order is how they came all the same; returns and cancellations may be heard before it."""
    facts, placed = [], []
    for number, (channel, day, void) in enumerate(story):
        order = on(f"2021-03-0{day + 1}")
        facts += [event(channel, order, number)]
        facts += [event(channel, Order.cancelled(order.at, order.total), number)] if void else []
        placed.append(FirstOrder.of(order.at, f"{channel}-{number}", channel))
    shuffled, size = data.draw(st.permutations(facts)), data.draw(st.integers(1, 12))

    async def play() -> None:
        world = World()
        for begin in range(0, len(shuffled), size):
            await world.fold(*shuffled[begin : begin + size])
        known = (await world.customers.load([customer(1)])).get(customer(1))
        assert (known.first if known else None) == min(placed, default=None)

    asyncio.run(play())


async def test_a_late_order_of_another_channel_changes_how_they_came_and_one_that_is_refused_does_not() -> None:
    world = World()
    world.scores.model = by_channel()
    await world.fold(event("web", on("2021-03-05"), 1))
    late = event("till", on("2021-03-01"), 2)
    refused = replace_currency(event("call-centre", on("2021-02-01"), 3))
    await world.fold(refused, late)
    known = (await world.customers.load([customer(1)]))[customer(1)]
    assert known.first == FirstOrder.of(on("2021-03-01").at, "till-2", "till")


def replace_currency(one: Received) -> Received:
    one.fact.__dict__["currency"] = "EUR"
    return one


async def test_who_was_known_before_first_orders_were_kept_stays_with_the_base() -> None:
    world = World()
    await world.fold(event("web", on("2021-03-05"), 1))
    world.customers.known[customer(1)] = world.customers.known[customer(1)]._replace(first=None)
    await world.fold(event("till", on("2021-03-09"), 2))
    assert (await world.customers.load([customer(1)]))[customer(1)].first is None


def single(visits: Purchasing, season: Season = STEADY) -> Parameters:
    return replace(BY_CHANNEL, visits=visits, by_channel=None, season=season)


@pytest.mark.parametrize("season", [STEADY, Season.of(SUMMER_AND_CHRISTMAS)], ids=["steady", "seasonal"])
@pytest.mark.parametrize("visits", [PARAMETERS.visits, MbgCnbd(3, 1.4, 9.0, 0.07, 38.0)])
def test_many_customers_at_once_are_each_scored_by_their_own_channel(visits: Purchasing, season: Season) -> None:
    base, end = synthetic_base(300, 600, seed=2)
    came = np.random.default_rng(1).choice([UNKNOWN, code_of("till"), code_of("web"), code_of("fair")], len(base))
    apart = replace(APART, family=Family.of(visits))
    parameters = replace(BY_CHANNEL, visits=visits, by_channel=apart, season=season)
    histories = Histories.of(base, came)
    said = predict(parameters, histories, end, 90)
    due = due_days(parameters, histories, said.told(Ranked.nowhere(300)), said, day_of(end), 90)
    models = {
        code_of("till"): shifted(visits, [-s for s in SHIFT]),
        code_of("web"): shifted(visits, SHIFT),
    }
    for whose in np.unique(came).tolist():
        theirs = np.flatnonzero(came == whose)
        alone, some = single(models.get(whose, visits), season), Histories.of([base[i] for i in theirs])
        expected = predict(alone, some, end, 90)
        assert same(said.at(theirs), expected)
        days = due_days(alone, some, expected.told(Ranked.nowhere(len(theirs))), expected, day_of(end), 90)
        assert due[theirs].tolist() == days.tolist()


def same(one: Predictions, other: Predictions) -> bool:
    names = ("p_alive", "p_churn", "expected_purchases", "expected_spend", "value", "segment")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


def test_differences_of_another_family_say_nothing() -> None:
    other = replace(BY_CHANNEL, by_channel=replace(APART, family=Family(3)))
    assert other.visits_of(code_of("web")) == PARAMETERS.visits


def test_a_look_back_scores_everybody_by_their_channel() -> None:
    packed, cut = [HABITUAL.pack()] * 2, day_of(START) + 60
    whole = Hindsight.of(BY_CHANNEL, then(packed, cut, 90, np.array([code_of("web"), UNKNOWN])), cut, 90)
    alone = [
        Hindsight.of(single(visits), then(packed[:1], cut, 90), cut, 90)
        for visits in (shifted(PARAMETERS.visits, SHIFT), PARAMETERS.visits)
    ]
    assert whole.pack() == alone[0].plus(alone[1]).pack()


async def test_scores_past_moments_reasons_and_lifetime_value_are_by_channel() -> None:
    world = World()
    world.scores.model = by_channel()
    for number, channel in ((1, "web"), (2, "till"), (3, "fair")):
        orders = [on(f"2021-0{month}-0{day}", "20") for month in (1, 2, 3) for day in (1, 8)]
        facts = [fact_of(customer(number), order).model_copy(update={"channel": channel}) for order in orders]
        await world.fold(*map(received, facts))
    valuing = Valuing(world.scores, ValueTerms(1.0, 0.1))
    for read in (world.scores.read, lambda who: world.scores.read(who, START + timedelta(days=45)), valuing.value):
        found = [await read(customer(number)) for number in (1, 2, 3)]
        assert len({str(one.value) for one in found if one}) == 3
    effects = [await world.scores.why(customer(number)) for number in (1, 2, 3)]
    assert len({str(one[1]) for one in effects if one}) == 3
    world.scores.model = MODEL
    assert len({str(one.value) for number in (1, 2, 3) if (one := await world.scores.read(customer(number)))}) == 1


async def test_a_sweep_tells_what_an_event_would() -> None:
    world, transactions = World(), MemoryTransactions()
    await world.fold(event("web", on("2021-03-05"), 1), *(ordered(2, on(f"2021-03-0{day}")) for day in (1, 5)))
    world.scores.model = by_channel()
    assert await Sweeping(world.scores, transactions).everybody() == 1
    (score,) = transactions.told()
    assert score.customer_id == customer(1)
    assert await Sweeping(world.scores, transactions).everybody() == 0
