"""Churn as a whole, on stores in memory: learnt from the base, used where it is better, versions kept, one look at a time."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from services.scoring.domain.fitting import Doubt
from services.scoring.domain.model import Model, refit
from services.scoring.domain.population import Population, changes
from services.scoring.domain.purchases import Purchases
from services.scoring.handlers import Change, Churning, Scores, scored_of
from services.scoring.handlers.wishing import Liked
from tests.scoring.churn.lives import END, HORIZON, Life, lives
from tests.scoring.events import customer
from tests.scoring.memory import (
    MemoryChurnModels,
    MemoryCustomers,
    MemoryDeeds,
    MemoryModels,
    MemoryPopulation,
    SetClock,
)

NOWHERE: Any = None
NO_WISHES = Liked(None, None, None, None, None)


@dataclass
class Company:
    clock: SetClock = field(default_factory=lambda: SetClock(END))
    customers: MemoryCustomers = field(default_factory=MemoryCustomers)
    deeds: MemoryDeeds = field(default_factory=MemoryDeeds)
    base: MemoryModels = field(default_factory=MemoryModels)
    models: MemoryChurnModels = field(default_factory=MemoryChurnModels)
    most_rows: int = 50_000

    def __post_init__(self) -> None:
        self.scores = Scores(self.customers, MemoryPopulation(), self.clock, HORIZON, "USD")
        stores = (self.customers, self.deeds, self.base, self.models)
        self.churning = Churning(*stores, self.scores, self.clock, self.most_rows)

    async def hear(self, base: list[Life]) -> "Company":
        purchases = {customer(number): one.purchases for number, one in enumerate(base)}
        fit = refit(Population().plus([changes((Purchases(), one) for one in purchases.values())]).histogram, END)
        model = Model(1, END, fit)  # type: ignore[arg-type]
        await self.base.add(model)
        self.scores.model = model
        await self.customers.save(scored_of(purchases, {}, self.scores.terms(END)), NOWHERE)
        did = {customer(number): one.behaviour.pack() for number, one in enumerate(base)}
        await self.deeds.save([Change(one, NO_WISHES, {}, None, behaviour) for one, behaviour in did.items()], NOWHERE)
        return self


async def test_a_proven_model_speaks_for_customers_and_says_why() -> None:
    base = lives(900, 1, telling=True)
    company = await Company().hear(base)
    before = await company.churning.foretell(customer(0))
    assert before is not None
    assert (before.by, before.version, before.probability) == ("purchases", None, before.base)
    made = await company.churning.look()
    assert made is not None
    assert (made.version, made.in_use, made.doubt, made.foreknown, made.share) == (1, True, None, True, 1.0)
    told = [await company.churning.foretell(customer(number)) for number in range(900)]
    recent = [
        one
        for one, life in zip(told, base, strict=True)
        if one and one.base and one.base < 0.4 and any(at >= END - timedelta(days=20) for at in life.complained)
    ]
    assert recent
    for one in recent:
        assert (one.by, one.version) == ("behaviour", 1)
        assert one.base is not None
        assert one.probability is not None
        assert one.probability > one.base
        assert "complaint" in {reason.about for reason in one.reasons}
    assert await company.churning.foretell(customer(9_999)) is None


async def test_a_model_that_is_no_better_is_kept_and_not_used() -> None:
    company = await Company().hear(lives(600, 1, telling=False))
    made = await company.churning.look()
    assert made is not None
    assert (made.in_use, made.doubt) == (False, None)
    assert await company.models.text(1)
    found = await company.churning.foretell(customer(3))
    assert found is not None
    assert (found.by, found.version, found.probability) == ("purchases", 1, found.base)
    assert found.why.startswith("By purchases alone: behaviour did not foretell better")


async def test_each_night_makes_a_version_and_the_newest_decides() -> None:
    company = await Company().hear(lives(900, 1, telling=True))
    assert await company.churning.stale()
    await company.churning.look()
    assert not await company.churning.stale()
    company.clock.at = END + timedelta(days=1)
    assert await company.churning.stale()
    await company.churning.look()
    assert [one.version for one in await company.models.page(None, 5)] == [2, 1]
    used = await company.churning.foretell(customer(3))
    company.models.versions[2] = company.models.versions[2]._replace(in_use=False)
    unused = await company.churning.foretell(customer(3))
    assert used is not None
    assert unused is not None
    assert [(one.by, one.version) for one in (used, unused)] == [("behaviour", 2), ("purchases", 2)]
    company.scores.horizon_days = HORIZON + 1
    other = await company.churning.foretell(customer(3))
    assert other is not None
    assert (other.by, other.version) == ("purchases", None)


async def test_of_a_large_base_a_share_is_looked_at_that_fits() -> None:
    base = lives(600, 3, telling=True)
    whole, part = await Company().hear(base), await Company(most_rows=1_200).hear(base)
    all_, some = await whole.churning.look(), await part.churning.look()
    assert all_ is not None
    assert some is not None
    assert (all_.share, some.share) == (1.0, 0.25)
    assert some.rows <= 1_200 < all_.rows
    assert some.rows == pytest.approx(all_.rows / 4, rel=0.2)


async def test_there_is_nothing_to_learn_before_there_is_a_base_model() -> None:
    company = Company()
    assert not await company.churning.ready()
    assert await company.churning.look() is None


@pytest.mark.parametrize("size", [0, 1, 20])
async def test_a_small_base_is_a_doubt(size: int) -> None:
    company = await Company().hear(lives(300, 2, telling=True))
    known = company.customers.known
    company.customers.known = dict(list(known.items())[:size])
    made = await company.churning.look()
    assert made is not None
    assert (made.doubt, made.in_use, made.windows) == (Doubt.TOO_FEW, False, ())
    company.customers.known = known
    found = await company.churning.foretell(customer(0))
    assert found is not None
    assert "too few customers" in found.why
