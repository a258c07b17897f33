"""Retention: what is decided about a customer, put down once a month, and learnt from when the outcome is known."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from services.scoring.domain.lifetime_value import Terms
from services.scoring.domain.purchases import Order, Purchases
from services.scoring.domain.retention.assignment import Assignment
from services.scoring.domain.retention.catalogue import NO_ACTION, Action, Catalogue
from services.scoring.domain.retention.evidence import Evidence
from services.scoring.handlers import Decided, Due, Retaining, Scores, Valuing, evidence_of
from tests.scoring.events import customer
from tests.scoring.memory import MemoryCustomers, MemoryPopulation, SetClock
from tests.scoring.orders import START, synthetic_base
from tests.scoring.test_score import MODEL
from tests.scoring.test_store import scored

BASE, END = synthetic_base(400, 600, seed=23)
CALL, GIFT = Action("call", contact_cost=2.0), Action("gift", contact_cost=0.1, offer_cost=500.0)


@dataclass
class MemoryActions:
    known: Catalogue = field(default_factory=lambda: Catalogue((CALL, GIFT)))

    async def catalogue(self) -> Catalogue:
        return self.known

    async def set(self, catalogue: Catalogue) -> None:
        self.known = catalogue


@dataclass
class MemoryDecisions:
    made: dict[tuple[str, str], Decided] = field(default_factory=dict)
    outcomes: dict[str, bool] = field(default_factory=dict)

    async def record(self, decided: Decided) -> Decided:
        key = (decided.decision.customer_id, decided.occasion)
        return self.made.setdefault(key, decided._replace(recorded=True))

    async def recorded(self, customer_id: str, occasion: str) -> Decided | None:
        return self.made.get((customer_id, occasion))

    async def due(self, until: datetime, limit: int) -> list[Due]:
        found = [
            Due(":".join(key), key[0], one.decision, one.at)
            for key, one in self.made.items()
            if one.at <= until and ":".join(key) not in self.outcomes
        ]
        return sorted(found, key=lambda due: due.at)[:limit]

    async def settle(self, outcomes: Mapping[str, bool]) -> None:
        self.outcomes.update(outcomes)

    async def settled(self) -> Evidence:
        made = {":".join(key): one.decision for key, one in self.made.items()}
        return evidence_of([(made[id_], stayed, 1) for id_, stayed in self.outcomes.items()])


class Company:
    def __init__(self, control: float = 0.0, exploration: float = 0.0) -> None:
        self.clock = SetClock(END)
        self.customers, self.decisions = MemoryCustomers(), MemoryDecisions()
        scores = Scores(self.customers, MemoryPopulation(), self.clock, 90, "USD", MODEL)
        self.retaining = Retaining(
            *(MemoryActions(), self.decisions, self.customers, scores, Valuing(scores, Terms(1.0, 0.1))),
            assignment=Assignment("test", control, exploration),
            clock=self.clock,
            horizon_days=90,
        )
        for one in scored(BASE):
            self.customers.known[one.customer_id] = one

    async def decided(self, number: int) -> Decided:
        found = await self.retaining.decide(customer(number))
        assert found is not None
        return found


async def test_of_who_has_bought_nothing_nothing_is_decided() -> None:
    company = Company()
    assert await company.retaining.decide(customer(9_999)) is None
    order = Order(START, Decimal(5))
    void = Purchases.of([order, Order.cancelled(order.at, order.total)])
    one = scored([void])[0]._replace(customer_id=customer(8_888))
    company.customers.known[customer(8_888)] = one
    assert await company.retaining.preview(customer(8_888)) is None


async def test_the_dear_action_is_never_worth_it_and_the_cheap_one_for_those_of_value() -> None:
    company = Company()
    decided = [await company.decided(number) for number in range(60)]
    actions = {one.decision.action for one in decided}
    assert actions == {"call", NO_ACTION}
    for one in decided:
        call = next(option for option in one.decision.options if option.action == "call")
        assert call.profit == pytest.approx(0.02 * one.decision.at_stake - 2.0)
        assert (one.decision.action == "call") is (call.profit > 0)
        assert call.source == "prior"
        assert "not measured yet" in " ".join(one.words)


async def test_what_was_decided_for_a_month_stays_and_the_next_month_is_decided_anew() -> None:
    company = Company()
    first = await company.decided(1)
    preview = await company.retaining.preview(customer(1))
    assert first.recorded
    assert preview == first
    await company.retaining.actions.set(Catalogue(()))
    company.clock.at = END.replace(day=1) + timedelta(days=32)
    new = await company.retaining.preview(customer(1))
    assert new is not None
    assert (new.recorded, new.decision.options, new.decision.action) == (False, (), NO_ACTION)
    assert len(company.decisions.made) == 1


async def test_outcomes_are_learnt_a_horizon_later_and_only_from_who_was_drawn() -> None:
    company = Company(exploration=0.5)
    for number in range(300):
        await company.decided(number)
    assert await company.retaining.learn() == 0
    assert company.retaining.evidence == Evidence()
    drawn = {
        d.decision.customer_id: d.decision for d in company.decisions.made.values() if d.decision.group == "exploration"
    }
    # Whoever was called buys; nobody else does.
    for number in range(300):
        known = company.customers.known[customer(number)]
        if customer(number) in drawn and drawn[customer(number)].action == "call":
            more = Purchases.of([Order(END + timedelta(days=30), Decimal(5))])
            company.customers.known[customer(number)] = known._replace(purchases=known.purchases.plus(more))
    company.clock.at = END + timedelta(days=90)
    assert await company.retaining.learn() == 0
    company.clock.at = END + timedelta(days=91)
    assert await company.retaining.learn() == 300
    evidence = company.retaining.evidence
    assert evidence is not None
    calls = [counts for (action, _), counts in evidence.counts.items() if action == "call"]
    assert sum(counts.treated for counts in calls) == sum(d.action == "call" for d in drawn.values())
    assert sum(counts.treated_stayed for counts in calls) == sum(counts.treated for counts in calls)
    assert sum(counts.control_stayed for counts in calls) == 0
    believed = company.retaining.beliefs(await company.retaining.actions.catalogue())
    best = {name: max(belief.mean for belief in each.strata.values()) for name, each in believed.items()}
    assert best["call"] > 0.2 > best["gift"]
    assert await company.retaining.learn() == 0


async def test_who_is_left_alone_for_good_is_left_alone() -> None:
    company = Company(control=1.0)
    decided = await company.decided(2)
    assert (decided.decision.action, decided.decision.group) == (NO_ACTION, "control")


async def test_without_a_model_nothing_is_at_stake() -> None:
    company = Company()
    company.retaining.scores.model = None
    decided = await company.decided(3)
    assert (decided.decision.at_stake, decided.decision.action) == (0.0, NO_ACTION)
    assert replace(decided.decision, action="call").profit == pytest.approx(-2.0)
