"""The choice of a family and the contest for it, on stores in memory: who is used at once, who has to prove itself."""

from datetime import timedelta

import pytest

from services.scoring.domain.calibration import Calibration
from services.scoring.domain.population import changes
from services.scoring.domain.purchases import Purchases, day_of
from services.scoring.domain.purchasing import PLAIN, Family
from services.scoring.domain.rivals import PARETO, SPAN_DAYS, spans
from services.scoring.domain.score import Terms
from services.scoring.handlers import Choosing, Contesting, Refitting, Scores, scored_of
from tests.scoring.events import customer
from tests.scoring.memory import (
    MemoryChoices,
    MemoryContests,
    MemoryCustomers,
    MemoryModels,
    MemoryPopulation,
    MemoryTransactions,
    SetClock,
    new_unit,
)
from tests.scoring.orders import synthetic_base
from tests.scoring.regular import regular_base

REGULAR, END = regular_base(1_500, 900, seed=5)
PLAIN_BASE, _ = synthetic_base(600, 900, seed=21)


class World:
    def __init__(self, base: list[Purchases]) -> None:
        self.clock, self.models, self.customers = SetClock(END), MemoryModels(), MemoryCustomers()
        self.population, self.choices, self.contests = MemoryPopulation(), MemoryChoices(), MemoryContests()
        self.scores = Scores(self.customers, self.population, self.clock, 90, "USD")
        self.refitting = Refitting(
            self.models, self.population, self.scores, self.clock, MemoryTransactions(), "instance"
        )
        self.choosing = Choosing(self.customers, self.choices, self.refitting, self.clock)
        self.contesting = Contesting(self.choosing, self.contests, self.clock)
        self.add(base)

    def add(self, base: list[Purchases]) -> None:
        first = len(self.customers.known)
        self.population.changes.append(changes((Purchases(), purchases) for purchases in base))
        numbered = {customer(first + number): purchases for number, purchases in enumerate(base)}
        for one in scored_of(numbered, {}, Terms(None, END, 90, "USD")):
            self.customers.known[one.customer_id] = one

    @property
    def name(self) -> str | None:
        return self.scores.model.parameters.family.name if self.scores.model else None


async def test_the_first_choice_is_used_at_once_and_kept_by_refits() -> None:
    world = World(REGULAR)
    await world.refitting.refit()
    assert world.name == "mbg-nbd"
    assert await world.choosing.due()
    choice = await world.choosing.choose()
    assert (choice.outcome, choice.nominated, world.name) == ("taken", Family(3), "mbg-cnbd-3")
    assert choice.champion is not None
    assert world.scores.model is not None
    assert world.scores.model.fit.why == choice.why
    score = await world.scores.read(customer(3))
    assert score is not None
    assert score.model is not None
    assert (score.model.name, score.model.version) == ("mbg-cnbd-3+gamma-gamma", 2)
    assert (await world.refitting.refit()).outcome == "unchanged"
    assert world.name == "mbg-cnbd-3"
    assert not await world.choosing.due()
    world.clock.at += timedelta(days=1)
    assert await world.choosing.due()


async def test_later_choices_only_name_a_challenger_until_the_base_is_another() -> None:
    world = World(PLAIN_BASE)
    await world.refitting.refit()
    assert (await world.choosing.choose()).outcome == "confirmed"
    world.add(REGULAR[:200])
    choice = await world.choosing.choose()
    assert (choice.outcome, world.name) in {("challenged", "mbg-nbd"), ("confirmed", "mbg-nbd")}
    world.add(REGULAR[200:])
    await world.refitting.refit()
    assert await world.choosing.due()
    choice = await world.choosing.choose()
    assert choice.outcome == "taken"
    assert world.name == choice.nominated.name if choice.nominated else False
    assert world.name != "mbg-nbd"


async def test_a_base_that_says_too_little_keeps_what_it_has() -> None:
    world = World(PLAIN_BASE[:5])
    await world.refitting.refit()
    choice = await world.choosing.choose()
    assert (choice.outcome, choice.doubts, choice.champion) == ("doubt", ("too few customers",), None)
    assert await world.contesting.contest() is None
    assert await World([]).choosing.choose() is not None


async def test_all_models_are_held_against_each_other_on_the_same_customers() -> None:
    world = World(REGULAR)
    await world.refitting.refit()
    await world.choosing.choose()
    assert await world.contesting.due()
    contest = await world.contesting.contest()
    assert contest is not None
    assert {one.challenger for one in contest.verdicts} == {"mbg-nbd", PARETO}
    over = spans(min(one.first_day for one in REGULAR), day_of(END))
    assert sorted(world.contests.said) == over
    for said in world.contests.said.values():
        # Where Pareto/NBD could not be fitted on so little, it has said nothing.
        assert len({table.rows for table in said.values()} - {0}) == 1
    newest = world.contests.said[over[-1]]["mbg-cnbd-3"]
    cut = over[-1] * SPAN_DAYS
    known = [one for one in REGULAR if one.until(cut).days]
    came = sum(any(cut < day.day <= cut + SPAN_DAYS for day in one.days) for one in known)
    assert (newest.rows, newest.came_and_said[0]) == (len(known), len(known) - came)
    plain = next(one for one in contest.verdicts if one.challenger == "mbg-nbd")
    assert plain.windows[-1].gain.mean < 0
    assert not plain.better
    read = await world.contesting.read()
    assert read is not None
    assert [one.gains for one in read.verdicts] == [one.gains for one in contest.verdicts]
    assert not await world.contesting.due()
    assert contest.promoted is None


async def test_a_challenger_takes_over_on_evidence_and_says_so() -> None:
    world = World(REGULAR)
    await world.refitting.refit()
    # As if MBG/NBD had been chosen for this base long ago.
    taken = await world.choosing.choose()
    assert taken.champion is not None
    await world.choosing.promote(PLAIN, "set back by the test")
    assert world.name == "mbg-nbd"
    assert (await world.choosing.choose()).outcome == "challenged"
    contest = await world.contesting.contest()
    assert contest is not None
    challenger = next(one for one in contest.verdicts if one.challenger == "mbg-cnbd-3")
    assert [window.better for window in challenger.windows] == [True, True]
    assert (contest.promoted, world.name) == ("mbg-cnbd-3", "mbg-cnbd-3")
    assert world.scores.model is not None
    assert "nats a customer" in world.scores.model.fit.why
    assert world.choices.noted is not None
    assert world.choices.noted.champion is not None
    assert world.choices.noted.champion.family == Family(3)


async def test_spans_are_scored_once_and_forgotten_where_the_past_has_changed() -> None:
    world = World(REGULAR[:900])
    await world.refitting.refit()
    await world.choosing.choose()
    await world.contesting.contest()
    marked = max(world.contests.said)
    world.contests.said[marked][PARETO] = Calibration.empty()
    await world.contesting.contest()
    assert world.contests.said[marked][PARETO].rows == 0
    world.add(REGULAR[900:])
    await world.choosing.choose()
    await world.contesting.contest()
    assert world.contests.said[marked][PARETO].rows > 0


async def test_pareto_is_never_promoted_whatever_it_gains(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(REGULAR)
    await world.refitting.refit()
    await world.choosing.choose()
    contest = await world.contesting.contest()
    assert contest is not None
    for said in world.contests.said.values():
        rows = said["mbg-cnbd-3"].rows
        sums = said["mbg-cnbd-3"].sums.copy()
        sums[:, 4] = 0
        said[PARETO] = Calibration(sums)
        assert said[PARETO].rows == rows
    again = await world.contesting.contest()
    assert again is not None
    assert next(one for one in again.verdicts if one.challenger == PARETO).better
    assert (again.promoted, world.name) == (None, "mbg-cnbd-3")


async def test_changes_of_the_base_do_not_wait_for_a_look() -> None:
    world = World(PLAIN_BASE)
    await world.refitting.refit()
    await world.choosing.choose()
    await world.population.add(changes((Purchases(), one) for one in REGULAR), new_unit().session)
    await world.refitting.refit()
    assert await world.choosing.due()
