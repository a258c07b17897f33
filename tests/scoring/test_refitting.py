"""Refits: versions that follow each other, doubts that hold, one refit at a time. On stores in memory."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.scoring.domain.population import changes
from services.scoring.domain.purchases import Purchases
from services.scoring.domain.score import Terms
from services.scoring.handlers import Refitting, Scores, scored_of
from shared.leases import UnderWay
from tests.scoring.events import customer
from tests.scoring.memory import MemoryCustomers, MemoryModels, MemoryPopulation, MemoryTransactions, SetClock, new_unit
from tests.scoring.orders import START, synthetic_base

BASE, END = synthetic_base(1_500, 900, seed=21)


class World:
    def __init__(self, base: list[Purchases], instance: str = "a") -> None:
        self.clock, self.transactions, self.models = SetClock(END), MemoryTransactions(), MemoryModels()
        self.customers, self.population = MemoryCustomers(), MemoryPopulation()
        self.scores = Scores(self.customers, self.population, self.clock, 90, "USD")
        self.refitting = Refitting(self.models, self.population, self.scores, self.clock, self.transactions, instance)
        self.population.changes.append(changes((Purchases(), purchases) for purchases in base))
        numbered = [(customer(number), purchases) for number, purchases in enumerate(base)]
        for one in scored_of(dict(numbered), {}, Terms(None, END, 90, "USD")):
            self.customers.known[one.customer_id] = one


async def test_the_first_refit_gives_version_one_and_tells_everybody() -> None:
    world = World(BASE[:300])
    report = await world.refitting.refit()
    assert (report.outcome, report.version, report.customers, report.told) == ("fitted", 1, 300, 300)
    assert world.scores.model == world.models.versions[1]
    assert await world.models.last_refit() == report


async def test_a_refit_of_an_unchanged_base_makes_no_version_and_tells_nobody() -> None:
    world = World(BASE[:300])
    await world.refitting.refit()
    report = await world.refitting.refit()
    assert (report.outcome, report.version, report.told) == ("unchanged", 1, 0)


async def test_a_grown_base_makes_a_new_version_and_the_old_one_stays_readable() -> None:
    world = World(BASE[:300])
    await world.refitting.refit()
    first = await world.models.version(1)
    await world.population.add(changes((Purchases(), purchases) for purchases in BASE[300:]), new_unit().session)
    report = await world.refitting.refit()
    assert (report.outcome, report.version, report.customers) == ("fitted", 2, 1_500)
    assert await world.models.version(1) == first


async def test_a_fit_in_doubt_is_held_and_the_version_before_stays_in_use() -> None:
    world = World(BASE[:300])
    await world.refitting.refit()
    counted = world.population.base.histogram
    unspent = replace(counted, spends=type(counted.spends).empty(3))
    world.population.base = replace(world.population.base, histogram=unspent)
    report = await world.refitting.refit()
    assert (report.outcome, report.doubts, report.version) == ("held", ("too few customers",), 1)
    assert world.scores.model == world.models.versions[1]


async def test_without_customers_there_is_no_model_and_no_harm() -> None:
    report = await World([]).refitting.refit()
    assert (report.outcome, report.version, report.customers) == ("held", None, 0)


async def test_a_day_that_passes_is_swept_once_without_a_new_version() -> None:
    world = World(BASE[:300])
    await world.refitting.refit()
    world.clock.at += timedelta(days=21)
    told = (await world.refitting.refit()).told
    assert 0 < told <= 300
    assert (await world.refitting.refit()).told == 0


async def test_while_another_instance_refits_nobody_else_does() -> None:
    world = World(BASE[:300])
    assert await world.models.claim("b", 60)
    with pytest.raises(UnderWay):
        await world.refitting.refit()
    await world.models.release("b")
    assert (await world.refitting.refit()).outcome == "fitted"


async def test_the_lease_is_given_back_after_a_failure() -> None:
    world = World(BASE[:300])
    world.population.base = None  # type: ignore[assignment]
    with pytest.raises(AttributeError):
        await world.refitting.refit()
    assert world.models.holder is None


async def test_a_version_that_another_instance_was_first_to_write_is_taken_over() -> None:
    world = World(BASE[:300])
    other = World(BASE[300:])
    await other.refitting.refit()
    taken = other.models.versions[1]
    world.models.versions[1] = replace(taken, fitted_at=START)
    await world.refitting.take_latest()
    assert world.scores.model is not None
    assert world.scores.model.fitted_at == START
