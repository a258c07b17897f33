"""Contracts from what channels tell: as they stand, how they may go on, and what the base teaches."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, strategies as st

from services.scoring.domain.contracts.facts import Cause, Contracts, Kind
from services.scoring.domain.contracts.hazards import Hazards
from services.scoring.domain.fitting import Doubt
from services.scoring.handlers import Change, Contracting, Deeds, Wishing
from services.scoring.handlers.contracting import KINDS, MONTHS, fact_of
from services.scoring.handlers.wishing import Liked
from shared.contracts.channels import ContractEvent
from shared.contracts.interactions import ContractChanged
from tests.scoring.contracts.lives import START as NOW, simulated
from tests.scoring.events import customer, placed, received
from tests.scoring.memory import MemoryDeeds, MemoryNames, SetClock, new_unit

ANNA, BEN = customer(1), customer(2)
BEGIN = datetime(2026, 1, 15, 8, tzinfo=UTC)
TODAY = datetime(2026, 6, 20, tzinfo=UTC)
NOWHERE: Any = None
"""In place of a transaction."""
NO_WISHES = Liked(None, None, None, None, None)
LIVES = Hazards(
    active=np.array([[0.010, 0.004, 0.02]] * 30),
    failing=np.array([[0.5, 0.2, 0.05]] * 6),
)


def told(event: str, day: int, who: str = ANNA, contract: str = "C1", **more: Any) -> ContractChanged:
    at = BEGIN + timedelta(days=day)
    given_name = f"{who}{contract}{event}{day}"
    same: dict[str, Any] = {"customer_id": who, "channel": "billing", "contract": contract, "currency": "USD"}
    return ContractChanged.model_validate(
        {**same, "change_id": given_name, "event": event, "happened_at": at.isoformat(), **more}
    )


class Company:
    def __init__(self, now: datetime = TODAY) -> None:
        self.memory, self.clock = MemoryDeeds(), SetClock(now)
        self.wishing = Wishing(self.memory, MemoryNames(), self.clock)
        self.contracting = Contracting(self.memory, self.clock, 0.5, 0.1)

    async def hear(self, *facts: Any) -> None:
        events = []
        for fact in facts:
            event = received(placed(fact.customer_id, BEGIN, Decimal(1)))
            event.fact = fact
            events.append(event)
        unit = new_unit()
        unit.prepared = await self.wishing.number(events)
        await Deeds(self.memory, self.wishing).fold(unit, events)

    async def learn(self) -> None:
        """From a base that lives by known risks."""
        lives = simulated(LIVES, 4_000, 120, seed=5)
        await self.memory.save(
            [Change(customer(100 + n), NO_WISHES, {}, contracts) for n, contracts in enumerate(lives)],
            NOWHERE,
        )
        await self.contracting.study()


def test_every_event_of_the_contract_has_a_meaning() -> None:
    assert set(get_args(ContractEvent)) == set(KINDS)
    fact = fact_of(told("cancelled", 3, reason="moved", price="29.9"))
    assert (fact.contract, fact.kind, fact.price, fact.cause) == (
        "billing/C1",
        Kind.CANCELLED,
        29_900_000,
        Cause.INVOLUNTARY,
    )
    assert fact_of(told("renewed", 3)).price == -1


STORY = [
    told("started", 0, price="20"),
    told("payment-failed", 40),
    told("payment-recovered", 45),
    told("renewed", 90, price="25"),
    told("started", 10, contract="C2"),
    told("went-to-competitor", 100, contract="C2", reason="price"),
]


@given(st.permutations(STORY), st.lists(st.sampled_from(STORY), max_size=3))
def test_facts_in_any_order_and_twice_are_the_same_contracts(facts: list[ContractChanged], again: list[Any]) -> None:
    assert Contracts.of(map(fact_of, [*facts, *again])) == Contracts.of(map(fact_of, STORY))
    packed = Contracts.of(map(fact_of, facts)).pack()
    assert Contracts.unpack(packed) == Contracts.of(map(fact_of, STORY))


async def test_contracts_are_read_as_they_stand() -> None:
    company = Company()
    await company.hear(*STORY[3:], placed(ANNA, BEGIN, Decimal(9)))
    await company.hear(*STORY[:3])
    first, second = await company.contracting.read(ANNA)
    assert (first.spell.renewals, first.price, first.age, first.spell.ended_at) == (1, Decimal(25), 5, None)
    assert (second.spell.cause, second.spell.reason, second.age) == (Cause.VOLUNTARY, "price", 3)
    assert (first.prospect, second.prospect) == (None, None)
    assert await company.contracting.read(BEN) == []
    assert company.memory.known[ANNA].book.sums, "the order beside it is in the books"


async def test_a_base_without_endings_teaches_nothing() -> None:
    company = Company()
    assert (await company.contracting.study()).runs == 0
    await company.hear(*(told("started", n, customer(n)) for n in range(20)))
    risks = await company.contracting.study()
    assert (risks.customers, risks.runs, risks.hazards) == (20, 20, Doubt.TOO_FEW)
    assert company.contracting.newcomer(12) is None
    assert (await company.contracting.read(customer(3)))[0].prospect is None


async def test_what_the_base_teaches_foretells_how_a_contract_goes_on() -> None:
    company = Company(NOW)
    await company.learn()
    begin = NOW - timedelta(days=70)
    fresh = {"happened_at": begin.isoformat(), "price": "20"}
    await company.hear(told("started", 0, **fresh), told("started", 0, BEN, **fresh))
    await company.hear(told("payment-failed", 0, BEN, happened_at=(NOW - timedelta(days=20)).isoformat()))
    [anna], [ben] = await company.contracting.read(ANNA), await company.contracting.read(BEN)
    assert anna.prospect is not None
    assert ben.prospect is not None
    for ahead in (anna.prospect.outlook, ben.prospect.outlook):
        total = ahead.voluntary + ahead.involuntary + ahead.paid + ahead.missing
        assert total == pytest.approx(np.ones((1, MONTHS + 1)), abs=1e-9)
    assert ben.prospect.outlook.involuntary[0, 3] > 2 * anna.prospect.outlook.involuntary[0, 3]
    assert anna.prospect.value is not None
    assert ben.prospect.value is not None
    assert 0 < ben.prospect.value < anna.prospect.value < 20 * 0.5 * MONTHS
    newcomer = company.contracting.newcomer(24)
    assert newcomer is not None
    assert 0 < newcomer.involuntary[0, -1] < 1
    assert newcomer.voluntary[0, -1] > newcomer.involuntary[0, -1] * 0.5


async def test_what_lies_ahead_has_not_happened_yet() -> None:
    company = Company(BEGIN + timedelta(days=50))
    await company.hear(*STORY)
    first, second = await company.contracting.read(ANNA)
    assert (first.price, first.spell.renewals, second.spell.ended_at) == (Decimal(20), 0, None)


async def test_a_customers_contract_facts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.scoring.handlers.deeds.MOST_CONTRACT_FACTS", 3)
    company = Company()
    await company.hear(*(told("renewed", day) for day in range(3)))
    await company.hear(told("renewed", 9))
    assert len((await company.memory.contracts(ANNA)).facts) == 3
