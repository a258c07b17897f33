"""What facts say of behaviour, and that it stands in the customer's deeds, whatever the order, and never grows too large."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.scoring.domain.behaviour import MOST_DAYS, RECORD, Behaviour, Doing
from services.scoring.handlers import Deeds, Wishing
from services.scoring.handlers.behaving import doings
from tests.scoring.events import customer, placed, received
from tests.scoring.memory import MemoryDeeds, MemoryNames, SetClock, new_unit
from tests.scoring.test_booking import ANNA, JULY, JUNE, ORDER, cancelled, met, returned
from tests.scoring.test_contracting import told


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        (met("complaint"), [Doing.COMPLAINT]),
        (met("complaint", direction="outbound"), [Doing.COMPLAINT]),
        (met("service-request"), [Doing.SERVICE]),
        (met("page-view"), [Doing.VISIT]),
        (met("call", direction="inbound"), [Doing.CONTACT]),
        (met("call", direction="outbound"), []),
        (met("letter", campaign="spring", direction="outbound"), [Doing.CAMPAIGN_RECEIVED]),
        (met("campaign-contact", campaign="spring"), [Doing.CAMPAIGN_RECEIVED]),
        (met("coupon-redemption", campaign="spring", direction="inbound"), [Doing.CAMPAIGN_ANSWERED]),
        (met("page-view", campaign="spring"), [Doing.VISIT, Doing.CAMPAIGN_ANSWERED]),
        (told("payment-failed", 3), [Doing.PAYMENT_FAILED]),
        (told("renewed", 3), []),
        (ORDER, []),
        (returned("40"), []),
        (cancelled(), []),
    ],
)
def test_facts_say_what_was_done(fact: Any, expected: list[Doing]) -> None:
    assert [doing for _, doing in doings(fact)] == expected


class Company:
    def __init__(self) -> None:
        self.memory = MemoryDeeds()
        self.wishing = Wishing(self.memory, MemoryNames(), SetClock(JULY))

    async def hear(self, *facts: Any) -> None:
        events = []
        for fact in facts:
            event = received(placed(fact.customer_id, JUNE, Decimal(1)))
            event.fact = fact
            events.append(event)
        unit = new_unit()
        unit.prepared = await self.wishing.number(events)
        await Deeds(self.memory, self.wishing).fold(unit, events)

    @property
    def behaviour(self) -> Behaviour:
        return Behaviour.unpack(self.memory.known[ANNA].behaviour)


async def test_what_was_heard_in_any_batches_and_order_is_one_behaviour() -> None:
    facts = [
        met("complaint"),
        met("page-view"),
        met("complaint").model_copy(update={"occurred_at": JUNE - timedelta(days=9)}),
        told("payment-failed", 3),
        ORDER,
        cancelled(),
        met("complaint"),
    ]
    one, other = Company(), Company()
    await one.hear(*facts)
    for fact in facts[::-1]:
        await other.hear(fact)
    assert one.behaviour == other.behaviour
    assert {(done.doing, done.times) for done in one.behaviour.days} == {
        (Doing.COMPLAINT, 1),
        (Doing.COMPLAINT, 2),
        (Doing.VISIT, 1),
        (Doing.PAYMENT_FAILED, 1),
    }
    await one.hear(ORDER.model_copy(update={"customer_id": customer(5)}))
    assert one.memory.known[customer(5)].behaviour == b""


async def test_a_channel_that_tells_any_day_cannot_make_a_customer_too_large() -> None:
    company = Company()
    for begin in range(0, 3 * MOST_DAYS, MOST_DAYS):
        days = range(begin, begin + MOST_DAYS)
        await company.hear(
            *(met("page-view").model_copy(update={"occurred_at": JUNE - timedelta(days=2 * day)}) for day in days)
        )
    assert len(company.memory.known[ANNA].behaviour) == (MOST_DAYS + 1) * RECORD.size
