"""The daily look at channels, on stores in memory: what it finds is used, moves with the base, and is taken back."""

from datetime import timedelta

import numpy as np

from services.scoring.domain.channels import FirstOrder, code_of
from services.scoring.domain.histogram import Histogram
from services.scoring.domain.model import Parameters
from services.scoring.domain.population import Population, changes
from services.scoring.domain.purchases import Purchases
from services.scoring.domain.purchasing import shifted
from services.scoring.domain.score import Terms
from services.scoring.handlers import Channels, Refitting, Scored, Scores, scored_of
from tests.scoring.events import customer
from tests.scoring.memory import (
    MemoryChannelLooks,
    MemoryCustomers,
    MemoryModels,
    MemoryPopulation,
    MemoryTransactions,
    SetClock,
)
from tests.scoring.test_channels import APART, NOW
from tests.scoring.test_shrinkage import SHOP, TILL, WEB, bought


class TwoChannels:
    """A base of two channels on stores in memory, with the daily look."""

    def __init__(self, till: list[bytes], web: list[bytes]) -> None:
        self.clock, self.models, self.customers = SetClock(NOW), MemoryModels(), MemoryCustomers()
        self.population, looks = MemoryPopulation(), MemoryChannelLooks()
        self.scores = Scores(self.customers, self.population, self.clock, 90, "USD")
        self.refitting = Refitting(self.models, self.population, self.scores, self.clock, MemoryTransactions(), "one")
        self.channels = Channels(self.customers, looks, self.refitting, self.clock)
        for name, packed in (("till", till), ("web", web)):
            self._add(name, [Purchases.unpack(one) for one in packed])

    def _add(self, channel: str, base: list[Purchases]) -> None:
        first = len(self.customers.known)
        self.population.changes.append(changes((Purchases(), one) for one in base))
        numbered = {customer(first + n): one for n, one in enumerate(base)}
        came = {who: FirstOrder(0, who, channel) for who in numbered}
        made: list[Scored] = scored_of(numbered, {}, Terms(None, NOW, 90, "USD"), dict(came))
        self.customers.known.update({one.customer_id: one for one in made})

    @property
    def parameters(self) -> Parameters:
        assert self.scores.model is not None
        return self.scores.model.parameters


def spending(packed: list[bytes], seed: int) -> list[bytes]:
    """With money that Gamma-Gamma can be fitted to."""
    random, paid = np.random.default_rng(seed), []
    for one in packed:
        spend = 6.0 / random.gamma(3.8, 1 / 15.0)
        days = [day._replace(micros=round(spend * random.gamma(6.0) / 6.0 * 1e6)) for day in Purchases.unpack(one).days]
        paid.append(Purchases(tuple(days)).pack())
    return paid


async def test_the_look_tells_channels_apart_refits_move_them_along_and_a_look_without_news_makes_no_version() -> None:
    world = TwoChannels(spending(bought(TILL, 800, 1), 1), spending(bought(WEB, 800, 2), 2))
    assert not await world.channels.due()
    assert await world.channels.look() is None
    await world.refitting.refit()
    assert await world.channels.due()
    look = await world.channels.look()
    assert look is not None
    assert (look.version, {one.name for one in look.found.by_channel.channels}) == (2, {"till", "web"})
    assert not await world.channels.due()
    till, web = (world.parameters.visits_of(code_of(name)) for name in ("till", "web"))
    assert till.r / till.alpha < world.parameters.visits.r / world.parameters.visits.alpha < web.r / web.alpha
    again = await world.channels.look()
    assert again is not None
    assert again.version == 2
    world._add("fair", [Purchases.unpack(one) for one in spending(bought(WEB, 1000, 3), 3)])
    assert (await world.refitting.refit()).version == 3
    moved = world.parameters.visits_of(code_of("web"))
    assert moved != web
    shifts = {one.name: one.shift for one in look.found.by_channel.channels}
    assert moved == shifted(world.parameters.visits, shifts["web"])
    assert world.parameters.by_channel == look.found.by_channel
    world.clock.at += timedelta(days=1)
    assert await world.channels.due()


async def test_channels_that_are_alike_keep_the_base() -> None:
    world = TwoChannels(spending(bought(SHOP, 400, 3), 3), spending(bought(SHOP, 400, 4), 4))
    await world.refitting.refit()
    look = await world.channels.look()
    assert look is not None
    assert (look.found.spread, look.version, world.parameters.by_channel) == (0.0, 1, None)


async def test_channels_that_are_no_longer_different_are_no_longer_told_apart() -> None:
    world = TwoChannels(spending(bought(SHOP, 400, 3), 3), spending(bought(SHOP, 400, 4), 4))
    await world.refitting.refit()
    await world.refitting.refit(by_channel=APART)
    assert world.parameters.by_code
    look = await world.channels.look()
    assert look is not None
    assert (look.version, world.parameters.by_code) == (3, {})


async def test_what_a_held_refit_keeps_from_use_is_said() -> None:
    world = TwoChannels(spending(bought(TILL, 800, 1), 1), spending(bought(WEB, 800, 2), 2))
    await world.refitting.refit()
    whole = world.population.base
    world.population.base = Population(Histogram(whole.histogram.visits), whole.places, whole.earned)
    look = await world.channels.look()
    assert look is not None
    assert (look.version, look.held) == (1, ("too few customers",))
    assert look.found.by_channel.channels
    assert not world.parameters.by_code
