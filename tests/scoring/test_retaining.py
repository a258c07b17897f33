"""Retention: what is decided about a customer, put down once a month, and learnt from when the outcome is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest

from services.scoring.domain.behaviour import Behaviour, Doing
from services.scoring.domain.lifetime_value import Terms
from services.scoring.domain.purchases import Order, Purchases, day_of
from services.scoring.domain.retention.assignment import Assignment
from services.scoring.domain.retention.catalogue import NO_ACTION, Action, Catalogue
from services.scoring.domain.retention.evidence import Evidence
from services.scoring.domain.retention.own import Lesson
from services.scoring.handlers import (
    Change,
    Churning,
    Decided,
    Due,
    Persuading,
    Retaining,
    Scores,
    Valuing,
    evidence_of,
)
from services.scoring.handlers.wishing import Liked
from tests.scoring.events import customer
from tests.scoring.memory import (
    MemoryChurnModels,
    MemoryCustomers,
    MemoryDeeds,
    MemoryModels,
    MemoryPopulation,
    MemoryUpliftModels,
    SetClock,
)
from tests.scoring.orders import START, synthetic_base
from tests.scoring.retention.persuadable import QUICK, QUICK_RECIPES, lessons
from tests.scoring.test_score import MODEL
from tests.scoring.test_store import scored

BASE, END = synthetic_base(400, 600, seed=23)
CALL, GIFT = Action("call", contact_cost=2.0), Action("gift", contact_cost=0.1, offer_cost=500.0)


NO_WISHES, NOWHERE = Liked(None, None, None, None, None), cast("Any", None)


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

    async def lessons(self, after: str | None, limit: int) -> list[tuple[str, Lesson]]:
        found = {":".join(key): one for key, one in self.made.items() if one.drawn and ":".join(key) in self.outcomes}
        return [(id_, _lesson(found[id_], self.outcomes[id_])) for id_ in sorted(found) if id_ > (after or "")][:limit]

    async def settled(self) -> Evidence:
        made = {":".join(key): one.decision for key, one in self.made.items()}
        return evidence_of([(made[id_], stayed, 1) for id_, stayed in self.outcomes.items()])


class Told(MemoryDecisions):
    """Decisions whose lessons are known."""

    def __init__(self, known: Sequence[Lesson]) -> None:
        super().__init__()
        self.known = sorted((f"{one.customer_id}:{one.day:06}", one) for one in known)

    async def lessons(self, after: str | None, limit: int) -> list[tuple[str, Lesson]]:
        return [one for one in self.known if one[0] > (after or "")][:limit]


def _lesson(one: Decided, stayed: bool) -> Lesson:
    decision = one.decision
    assert one.drawn is not None
    opened = [option.action for option in decision.options]
    return Lesson(
        *(decision.customer_id, day_of(one.at), decision.action, opened, decision.stratum, stayed),
        *(one.drawn.control, one.drawn.exploration, one.drawn.features),
    )


class Company:
    def __init__(self, control: float = 0.0, exploration: float = 0.0) -> None:
        self.clock = SetClock(END)
        self.customers, self.decisions, self.deeds = MemoryCustomers(), MemoryDecisions(), MemoryDeeds()
        scores = Scores(self.customers, MemoryPopulation(), self.clock, 90, "USD", MODEL)
        stores = (self.customers, self.deeds, MemoryModels(), MemoryChurnModels())
        self.actions, self.uplift = MemoryActions(), MemoryUpliftModels()
        churning = Churning(*stores, scores, self.clock)
        self.persuading = Persuading(
            *(self.decisions, self.uplift, self.actions, self.clock, 90),
            *(QUICK_RECIPES, QUICK),
        )
        self.retaining = Retaining(
            *(self.actions, self.decisions, self.customers, scores, Valuing(scores, Terms(1.0, 0.1))),
            *(churning, self.persuading),
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


async def test_what_was_known_is_put_down_with_decisions_that_were_drawn_and_with_no_others() -> None:
    company = Company(control=0.2, exploration=0.3)
    behaviour = Behaviour.of([(END - timedelta(days=3), Doing.COMPLAINT)]).pack()
    changes = [Change(customer(number), NO_WISHES, {}, None, behaviour) for number in range(60)]
    await company.deeds.save(changes, NOWHERE)
    for one in [await company.decided(number) for number in range(60)]:
        if one.decision.group == "decided":
            assert one.drawn is None
        else:
            assert one.drawn is not None
            assert (one.drawn.control, one.drawn.exploration) == (0.2, 0.3)
            assert (one.drawn.features["complaint_30"], one.drawn.features["complaint_days_since"]) == (1.0, 4.0)
            assert one.drawn.features["visit_days_since"] is None
    assert len(await company.decisions.lessons(None, 100)) == 0
    company.clock.at = END + timedelta(days=91)
    await company.retaining.learn()
    found = await company.decisions.lessons(None, 100)
    assert len(found) == sum(one.drawn is not None for one in company.decisions.made.values())


async def test_a_customers_own_share_decides_where_it_ranks_better_than_segments() -> None:
    company = Company()
    company.decisions = Told(lessons(3_000, 1, differ=True))
    company.persuading.decisions = company.decisions
    made = await company.persuading.look()
    used = {one.action: one.in_use for one in made.actions}
    assert (used, made.version) == ({"call": True, "gift": False}, 1)
    behaviour = Behaviour.of((END - timedelta(days=days), Doing.COMPLAINT) for days in (3, 5, 9)).pack()
    await company.deeds.save([Change(customer(number), NO_WISHES, {}, None, behaviour) for number in range(9)], NOWHERE)
    for number in range(18):
        one, complained = await company.decided(number), number < 9
        call, gift = one.decision.options
        assert (call.source, gift.source, one.uplift_version) == ("model", "prior", 1)
        assert (call.p_persuade > 0.1) is complained
        assert call.profit == pytest.approx(call.p_persuade * one.decision.at_stake - 2.0)
        assert "better than chance and than segments do" in " ".join(one.words)


async def test_where_all_are_persuaded_alike_the_segments_stay() -> None:
    company = Company()
    company.decisions = Told(lessons(3_000, 1, differ=False))
    company.persuading.decisions = company.decisions
    made = await company.persuading.look()
    assert [one.in_use for one in made.actions] == [False, False]
    one = await company.decided(1)
    assert (one.uplift_version, {option.source for option in one.decision.options}) == (None, {"prior"})


async def test_one_decision_of_a_customer_teaches_and_of_many_customers_a_share() -> None:
    company = Company()
    some = lessons(400, 1, differ=True)
    again = [one._replace(day=one.day + 30, stayed=not one.stayed) for one in some]
    company.persuading.decisions = Told([*some, *again])
    assert (await company.persuading.look()).lessons == 400
    company.persuading.most_lessons = 150
    second = await company.persuading.look()
    assert second.version == 2
    assert 60 < second.lessons <= 150
    assert not await company.persuading.stale()
