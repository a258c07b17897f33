"""What each fact means for the books, and what a customer and the whole base have earned us."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest
from hypothesis import given, strategies as st

from services.scoring.domain.profit import FREE, Book, CostModel, Kind, Overhead, Rate, behind, month_of, statement
from services.scoring.handlers import Deeds, Profits, Wishing
from services.scoring.handlers.booking import UNMEASURED, Deed, movements
from services.scoring.handlers.deeds import MOST_SUMS
from shared.contracts.channels import Discounts, SaleLine
from shared.contracts.interactions import InteractionRecorded, OrderCancelled, OrderPlaced, OrderReturned, Restocked
from tests.scoring.events import customer, received
from tests.scoring.memory import MemoryCosts, MemoryDeeds, MemoryNames, SetClock, new_unit

JUNE = datetime(2026, 6, 10, 9, 30, tzinfo=UTC)
JULY = datetime(2026, 7, 2, 9, 30, tzinfo=UTC)
ANNA = customer(1)
COSTS = CostModel(
    (
        Rate(Kind.GOODS, Decimal("0.5")),
        Rate(Kind.GOODS, Decimal("0.8"), "wine"),
        Rate(Kind.PAYMENT_SHARE, Decimal("0.01"), "card"),
        Rate(Kind.PAYMENT_SHARE, FREE),
        Rate(Kind.PAYMENT_FIXED, FREE),
        Rate(Kind.SHIPPING, Decimal(4)),
        Rate(Kind.RETURN_HANDLING, Decimal(3)),
        Rate(Kind.CALLS, Decimal("1.5")),
        Rate(Kind.CALLS, Decimal(6), UNMEASURED),
        Rate(Kind.MAILS, Decimal("0.7")),
        Rate(Kind.CAMPAIGNS, Decimal("0.2"), "spring"),
        Rate(Kind.OVERHEAD, Decimal(1)),
    ),
    Overhead(Kind.SALES),
)
ORDER = OrderPlaced(
    order_id="o1",
    customer_id=ANNA,
    channel="e-shop",
    ordered_at=JUNE,
    payment="card",
    parcels=2,
    currency="USD",
    total=Decimal(100),
    discount=Decimal(12),
    lines=[
        SaleLine(
            product="merlot",
            quantity=Decimal(6),
            value=Decimal(60),
            category="wine",
            discounts=Discounts(retail=Decimal(10), coupon=Decimal(2)),
        ),
        SaleLine(product="glass", quantity=Decimal(4), value=Decimal(40), cost=Decimal(25)),
    ],
)


BACK = [
    SaleLine(
        product="merlot",
        quantity=Decimal(3),
        value=Decimal(30),
        category="wine",
        discounts=Discounts(retail=Decimal(5), coupon=Decimal(1)),
    ),
    SaleLine(product="glass", quantity=Decimal(1), value=Decimal(10), cost=Decimal("6.25")),
]
"""Half of the wine, a quarter of the glasses: what of ORDER a return brings back to the shelf."""


def cancelled(returned: str = "0", at: datetime = JULY, **told: Any) -> OrderCancelled:
    left = ORDER.total - Decimal(returned)
    same = {name: getattr(ORDER, name) for name in ("order_id", "customer_id", "channel", "ordered_at", "currency")}
    order = {"lines": ORDER.lines, "payment": ORDER.payment, "parcels": ORDER.parcels} | told
    return OrderCancelled.model_validate(
        {**same, "cancelled_at": at, "total": left, "returned": Decimal(returned), **order}
    )


def returned(total: str, restocked: Sequence[SaleLine] = ()) -> OrderReturned:
    return OrderReturned(
        return_id="r1",
        order_id="o1",
        customer_id=ANNA,
        channel="e-shop",
        returned_at=JULY,
        ordered_at=JUNE,
        currency="USD",
        total=Decimal(total),
        lines=[],
        restocked=list(restocked),
    )


BROUGHT_BACK = Restocked(return_id="r1", returned_at=JULY, lines=BACK)
"""The same, as the order's cancellation tells it again."""


def met(kind: str, **told: Any) -> InteractionRecorded:
    return InteractionRecorded(
        interaction_id="i1", customer_id=ANNA, channel="call-centre", kind=kind, occurred_at=JUNE, **told
    )


def book(*facts: Deed) -> Book:
    return Book.of(movement for fact in facts for movement in movements(fact))


def profit(*facts: Deed) -> Decimal:
    return statement(book(*facts), COSTS, month_of(JUNE), month_of(JULY) + 1).profit


def test_an_order_earns_what_is_left_after_all_that_it_costs() -> None:
    told = statement(book(ORDER), COSTS, month_of(JUNE), month_of(JULY))
    amounts = {line.key.kind: line.amount for line in told.lines if not line.key.subject}
    assert amounts[Kind.SALES] == Decimal(110)
    assert amounts[Kind.RETAIL_DISCOUNT] == Decimal(-10)
    assert told.of(Kind.GOODS) == -(Decimal(25) + Decimal("0.8") * 70)
    assert told.of(Kind.PAYMENT_SHARE) == Decimal("-0.98")
    assert told.of(Kind.SHIPPING) == Decimal(-8)
    assert told.of(Kind.OVERHEAD) == Decimal(-1)
    assert (told.unknown, told.borne_by_others) == ((), Decimal(2))


def test_without_rates_what_is_unknown_is_named() -> None:
    told = statement(book(ORDER), CostModel(), month_of(JUNE), month_of(JULY))
    assert set(told.unknown) == {Kind.GOODS, Kind.SHIPPING, Kind.PAYMENT_SHARE, Kind.PAYMENT_FIXED, Kind.OVERHEAD}
    assert told.profit == 110 - 10 - 25


@pytest.mark.parametrize(
    ("fact", "kind", "quantity", "subject"),
    [
        (met("call", minutes=Decimal("12.5")), Kind.CALLS, "12.5", ""),
        (met("phone-call"), Kind.CALLS, "1", UNMEASURED),
        (met("visit", minutes=Decimal(40)), Kind.VISITS, "40", ""),
        (met("letter"), Kind.MAILS, "1", ""),
        (met("email"), Kind.MESSAGES, "1", ""),
        (met("page-view"), Kind.WEB_SESSIONS, "1", ""),
        (met("campaign-contact", campaign="spring"), Kind.CAMPAIGNS, "1", "spring"),
    ],
)
def test_contacts_are_quantities(fact: InteractionRecorded, kind: Kind, quantity: str, subject: str) -> None:
    (movement,) = movements(fact)
    assert (movement.kind, movement.micros, movement.subject) == (kind, int(Decimal(quantity) * 10**6), subject)
    assert not movement.told


def test_a_campaigns_letter_is_a_letter_and_a_contact_and_an_answer_to_it_is_neither() -> None:
    kinds = [one.kind for one in movements(met("letter", campaign="spring", direction="outbound"))]
    assert kinds == [Kind.MAILS, Kind.CAMPAIGNS]
    assert movements(met("coupon-redemption", campaign="spring", direction="inbound")) == []


def test_a_return_costs_what_was_given_back_and_its_handling_in_its_own_month() -> None:
    assert profit(ORDER, returned("40")) == profit(ORDER) - 40 - 3
    assert {key.month for key in book(returned("40")).sums} == {month_of(JULY)}


def test_goods_that_can_be_sold_again_cost_what_they_cost_less_and_the_line_says_so() -> None:
    assert profit(ORDER, returned("40", BACK)) == profit(ORDER, returned("40")) + Decimal("6.25") + Decimal("0.8") * 35
    told = statement(book(ORDER, returned("40", BACK)), COSTS, month_of(JULY), month_of(JULY) + 1)
    goods = {(line.key.subject, line.key.told): line for line in told.lines if line.key.kind is Kind.GOODS}
    assert {key: (line.amount, line.quantity, line.events) for key, line in goods.items()} == {
        ("", True): (Decimal("6.25"), Decimal("-6.25"), 1),
        ("wine", False): (Decimal(28), Decimal(-35), 1),
    }
    made = movements(returned("40", BACK))
    assert {name for line in goods.values() for name in behind(line, made)} == {"r1"}


def test_all_of_an_order_back_on_the_shelf_leaves_no_cost_of_goods() -> None:
    together = book(ORDER, returned("100", ORDER.lines)).sums
    goods: dict[tuple[str, bool], int] = {}
    for key, total in together.items():
        if key.kind is Kind.GOODS:
            goods[key.subject, key.told] = goods.get((key.subject, key.told), 0) + total.micros
    assert goods == {("", True): 0, ("wine", False): 0}


@given(st.permutations([ORDER, returned("40", BACK), cancelled("40", restocked=[BROUGHT_BACK]), met("letter")]))
def test_goods_that_came_back_leave_the_same_in_any_order(facts: list[Deed]) -> None:
    assert book(*facts) == book(met("letter"), ORDER, returned("40"), cancelled("40"))


def test_a_cancelled_order_leaves_nothing_but_what_its_returns_had_cost() -> None:
    assert profit(ORDER, cancelled()) == 0
    assert profit(ORDER, returned("40"), cancelled("40")) == -3
    assert profit(ORDER, returned("40", BACK), cancelled("40", restocked=[BROUGHT_BACK])) == -3
    # The return told after the cancellation has nothing left to lower.
    assert profit(ORDER, cancelled(), returned("0")) == -3


def test_an_order_cancelled_in_its_own_month_leaves_no_trace_of_itself() -> None:
    assert book(ORDER, cancelled(at=JUNE + timedelta(days=3))) == Book()
    # Nor where the clock of who cancels is behind that of who sells, by a month.
    assert book(ORDER, cancelled(at=JUNE - timedelta(days=30))) == Book()


def test_a_month_that_is_over_stays_as_it_was_and_the_cancellation_counts_when_it_comes() -> None:
    before = statement(book(ORDER), COSTS, month_of(JUNE), month_of(JULY))
    facts = (ORDER, returned("40", BACK), cancelled("40", restocked=[BROUGHT_BACK]))
    assert statement(book(*facts), COSTS, month_of(JUNE), month_of(JULY)) == before
    july = statement(book(*facts), COSTS, month_of(JULY), month_of(JULY) + 1)
    assert july.profit == -before.profit - 3
    lines = {(line.key.kind, line.key.subject, line.key.told): line for line in july.lines}
    sales = lines[Kind.SALES, "", True]
    assert (sales.amount, sales.events) == (Decimal(-110), -1)
    assert lines[Kind.GOODS, "wine", False].quantity == -70
    assert lines[Kind.OVERHEAD, "", False].amount == 1
    assert behind(sales, [one for fact in facts for one in movements(fact)]) == ["o1"]


def test_what_has_become_dearer_is_undone_at_the_price_of_the_month_in_which_it_is() -> None:
    """As goods that a return brings back are: what they are worth on the shelf to which they come back."""
    dearer = CostModel(
        (
            Rate(Kind.GOODS, Decimal("0.5"), until=month_of(JULY)),
            Rate(Kind.GOODS, Decimal("0.7"), since=month_of(JULY)),
        )
    )
    told = statement(book(ORDER, cancelled()), dearer, month_of(JUNE), month_of(JULY) + 1)
    amounts = {line.key.month: line.amount for line in told.lines if line.key.kind is Kind.GOODS and line.key.subject}
    assert amounts == {month_of(JUNE): Decimal(-35), month_of(JULY): Decimal(49)}


def test_a_cancellation_of_before_there_were_lines_takes_back_the_revenue() -> None:
    facts = (ORDER, returned("40"), cancelled("40", lines=[]))
    told = statement(book(*facts), COSTS, month_of(JUNE), month_of(JULY) + 1)
    assert told.of(Kind.SALES) == 10
    assert told.of(Kind.REFUNDS) == 0


@given(st.permutations([ORDER, returned("40"), cancelled("40"), met("call", minutes=Decimal(3)), met("letter")]))
def test_the_book_is_the_same_in_any_order(facts: list[Deed]) -> None:
    assert book(*facts) == book(met("call", minutes=Decimal(3)), met("letter"), ORDER, returned("40"), cancelled("40"))


class Company:
    def __init__(self, costs: CostModel = COSTS) -> None:
        self.memory, self.clock = MemoryDeeds(), SetClock(JULY)
        self.wishing = Wishing(self.memory, MemoryNames(), self.clock)
        self.costs = MemoryCosts(costs)
        self.profits = Profits(self.memory, self.costs, self.clock, "USD")

    async def hear(self, *facts: Deed) -> None:
        events = []
        for fact in facts:
            event = received(ORDER)
            event.fact = fact
            events.append(event)
        unit = new_unit()
        unit.prepared = await self.wishing.number(events)
        await Deeds(self.memory, self.wishing).fold(unit, events)


async def test_what_was_heard_in_any_batches_is_read_as_one_statement() -> None:
    one, other = Company(), Company()
    facts: list[Deed] = [ORDER, met("call", minutes=Decimal(3)), returned("40"), met("letter")]
    await one.hear(*facts)
    for fact in facts[::-1]:
        await other.hear(fact)
    read = [await company.profits.read(ANNA, None, None) for company in (one, other)]
    assert read[0] == read[1]
    assert read[0] is not None
    assert read[0].statement.profit == profit(*facts)
    assert (read[0].statement.since, read[0].statement.until) == (month_of(JULY) - 11, month_of(JULY) + 1)
    assert await one.profits.read(customer(2), None, None) is None


async def test_the_base_is_looked_through_and_everybody_has_a_class() -> None:
    company = Company()
    for number in range(1, 11):
        sale = ORDER.model_copy(update={"customer_id": customer(number), "ordered_at": JUNE, "order_id": f"o{number}"})
        await company.hear(*([sale] * (20 if number == 1 else 1)))
    loser = [met("call", minutes=Decimal(90)).model_copy(update={"customer_id": customer(11)})]
    await company.hear(*loser)
    assert await company.profits.stale()
    look = await company.profits.look()
    assert look.customers == 11
    each = profit(ORDER)
    assert look.base.micros == int((29 * each - 135) * 10**6)
    found = [await company.profits.read(customer(number), None, None) for number in (1, 2, 11)]
    assert [one.value_class for one in found if one] == ["A", "A", "L"]
    assert not await company.profits.stale()
    company.clock.at = JULY + timedelta(days=1)
    assert await company.profits.stale()


async def test_what_no_book_can_hold_is_left_out_and_the_rest_is_there() -> None:
    company = Company()
    huge = ORDER.model_copy(
        update={
            "lines": [
                SaleLine(
                    product="p",
                    quantity=Decimal(1),
                    value=Decimal(999_999_999_999),
                    discounts=Discounts(retail=Decimal(999_999_999_999)),
                )
            ]
        }
    )
    await company.hear(cast("Deed", huge), met("letter"))
    read = await company.profits.read(ANNA, None, None)
    assert read is not None
    assert read.statement.of(Kind.MAILS) == Decimal("-0.7")


async def test_a_channel_that_takes_ids_for_categories_cannot_make_a_customer_too_large() -> None:
    company = Company()
    for number in range(6):
        lines = [
            SaleLine(product="p", quantity=Decimal(1), value=Decimal(2), category=f"{number}-{line}")
            for line in range(900)
        ]
        sale = ORDER.model_copy(update={"lines": lines, "total": Decimal(1800), "order_id": f"o{number}"})
        await company.hear(cast("Deed", sale))
    book = company.memory.known[ANNA].book
    assert len(book.sums) < MOST_SUMS + 10
    goods = [total.micros for key, total in book.sums.items() if key.kind is Kind.GOODS]
    assert sum(goods) == 6 * 1800 * 10**6
