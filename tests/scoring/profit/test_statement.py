"""Statements: every line follows from its events, and what is not known is called unknown."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings

from services.scoring.domain.profit import (
    FREE,
    NOTHING_KNOWN,
    Book,
    CostModel,
    Event,
    Group,
    Kind,
    Line,
    Movement,
    Overhead,
    Rate,
    SoldLine,
    Statement,
    allocate,
    behind,
    given_back,
    month_named,
    sold,
    spent,
    statement,
    used,
)
from tests.scoring.profit.test_book import histories

JANUARY, FEBRUARY, MARCH = (month_named(f"2024-0{month}") for month in (1, 2, 3))


def event(name: str, day: str = "2024-01-15") -> Event:
    return Event(name, datetime.fromisoformat(day).replace(tzinfo=UTC))


def the(made: Statement, kind: Kind) -> Line:
    (line,) = [line for line in made.lines if line.key.kind is kind]
    return line


def rates(**per_unit: str) -> tuple[Rate, ...]:
    return tuple(Rate(Kind(name.replace("_", "-")), Decimal(rate)) for name, rate in per_unit.items())


SALE = sold(event("sale"), [SoldLine(Decimal(80), retail=Decimal(20), coupon=Decimal(5), cost=Decimal(50))], "card")
HISTORY = [
    *SALE,
    used(event("parcel"), Kind.SHIPPING, Decimal(1)),
    used(event("call-1"), Kind.CALLS, Decimal("7.5")),
    used(event("call-2"), Kind.CALLS, Decimal("2.5")),
    used(event("mailing"), Kind.CAMPAIGNS, Decimal(1), "spring"),
    *given_back(event("return", "2024-02-02"), Decimal(16)),
]
COSTS = CostModel(
    (
        *rates(shipping="4.90", payment_share="0.014", payment_fixed="0.25", calls="0.80", return_handling="3"),
        Rate(Kind.CAMPAIGNS, Decimal("0.62"), "spring"),
        *rates(overhead="2.50"),
    ),
    Overhead(Kind.SALES),
)


def test_a_statement_spelled_out() -> None:
    made = statement(Book.of(HISTORY), COSTS, JANUARY, MARCH)
    assert [(line.key.kind.value, str(line.amount), line.events) for line in made.lines] == [
        ("calls", "-8.000000", 2),
        ("campaigns", "-0.620000", 1),
        ("coupon", "0", 1),
        ("goods", "-50.00", 1),
        ("payment-fixed", "-0.250000", 1),
        ("payment-share", "-1.050000", 1),
        ("retail-discount", "-20.00", 1),
        ("sales", "100.00", 1),
        ("shipping", "-4.900000", 1),
        ("refunds", "-16.00", 1),
        ("return-handling", "-3.000000", 1),
        ("overhead", "-2.500000", 1),
    ]
    assert made.unknown == ()
    assert made.total(Group.REVENUE) == 100
    assert made.total(Group.DIRECT) == Decimal("-95.20")
    assert made.total(Group.INDIRECT) == Decimal("-11.12")
    assert made.profit == Decimal("-6.32")
    assert made.micros == -6_320_000
    assert made.borne_by_others == 5


def test_a_line_has_its_quantity_its_rate_and_its_events() -> None:
    line = the(statement(Book.of(HISTORY), COSTS, JANUARY, MARCH), Kind.CALLS)
    assert (line.quantity, line.unit, line.rate, line.events) == (Decimal(10), "minutes", Decimal("0.80"), 2)
    assert behind(line, HISTORY) == ["call-1", "call-2"]
    sales = the(statement(Book.of(HISTORY), COSTS, JANUARY, MARCH), Kind.SALES)
    assert (sales.quantity, sales.unit, sales.rate) == (Decimal(100), "money", None)


@settings(max_examples=50, deadline=None)
@given(histories)
def test_every_line_is_the_sum_of_the_events_behind_it(history: list[Movement]) -> None:
    made = statement(Book.of(history), COSTS, 0, 10_000)
    for line in made.lines:
        if line.key.kind is not Kind.OVERHEAD:
            named = [movement for movement in history if movement.key == line.key]
            assert line.quantity == Decimal(sum(movement.micros for movement in named)).scaleb(-6)
            assert line.events == len(behind(line, history))
    assert made.profit == sum((line.amount for line in made.lines if line.amount is not None), Decimal(0))


@settings(max_examples=50, deadline=None)
@given(histories)
def test_months_apart_have_together_the_profit_of_the_whole(history: list[Movement]) -> None:
    book = Book.of(history)
    apart = [statement(part, COSTS, month, month + 1) for month, part in book.by_month().items()]
    assert sum(part.micros for part in apart) == statement(book, COSTS, 0, 10_000).micros


def test_unknown_costs_are_unknown_and_not_nothing() -> None:
    made = statement(Book.of(HISTORY), NOTHING_KNOWN, JANUARY, FEBRUARY)
    assert set(made.unknown) == {
        Kind.SHIPPING,
        Kind.CALLS,
        Kind.CAMPAIGNS,
        Kind.PAYMENT_SHARE,
        Kind.PAYMENT_FIXED,
        Kind.OVERHEAD,
    }
    assert made.of(Kind.CALLS) is None
    assert made.of(Kind.SALES) == 100
    assert made.of(Kind.WEB_SESSIONS) == 0
    assert made.profit == 30


def test_what_is_free_is_known_and_costs_nothing() -> None:
    free = CostModel((Rate(Kind.CALLS, FREE),), Overhead(Kind.VISITS))
    made = statement(Book.of(HISTORY), free, JANUARY, FEBRUARY)
    assert made.of(Kind.CALLS) == 0
    assert Kind.CALLS not in made.unknown
    assert Kind.OVERHEAD not in made.unknown


def test_a_quantity_that_adds_up_to_nothing_needs_no_rate() -> None:
    back = given_back(event("return"), Decimal(10), [SoldLine(Decimal(10))])
    made = statement(Book.of([*sold(event("sale"), [SoldLine(Decimal(10))]), *back]), NOTHING_KNOWN, JANUARY, FEBRUARY)
    assert made.of(Kind.GOODS) == 0


def test_a_rate_is_valid_from_its_first_month_until_before_its_last() -> None:
    costs = CostModel(
        (
            Rate(Kind.CALLS, Decimal(1), until=FEBRUARY),
            Rate(Kind.CALLS, Decimal(2), since=FEBRUARY, until=MARCH),
            Rate(Kind.CALLS, Decimal(9), "hotline", since=FEBRUARY),
        )
    )
    found = [costs.rate(Kind.CALLS, "", month) for month in (JANUARY, FEBRUARY, MARCH)]
    assert found == [1, 2, None]
    found = [costs.rate(Kind.CALLS, "hotline", month) for month in (JANUARY, FEBRUARY, MARCH)]
    assert found == [1, 9, 9]


@pytest.mark.parametrize(
    ("one", "other"),
    [((None, None), (JANUARY, FEBRUARY)), ((None, MARCH), (FEBRUARY, None)), ((JANUARY, None), (MARCH, None))],
)
def test_two_rates_of_a_month_are_refused(
    one: tuple[int | None, int | None], other: tuple[int | None, int | None]
) -> None:
    pair = [Rate(Kind.MAILS, Decimal(1), "", *span) for span in (one, other)]
    for rates_ in (pair, pair[::-1]):
        with pytest.raises(ValueError, match="two rates of mails are valid in the same month"):
            CostModel(tuple(rates_))


def test_rates_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="sales is not a cost"):
        Rate(Kind.SALES, Decimal(1))
    with pytest.raises(ValueError, match="no month lies from 2024-02 until before 2024-02"):
        Rate(Kind.CALLS, Decimal(1), since=FEBRUARY, until=FEBRUARY)
    with pytest.raises(ValueError, match="a rate is a number"):
        Rate(Kind.CALLS, Decimal("NaN"))


def test_the_cost_model_is_read_from_rows_of_texts() -> None:
    rows = [
        {"kind": "calls", "per_unit": "0.80", "since": "2024-01", "until": "2024-03"},
        {"kind": "goods", "per_unit": "0.7", "subject": "wine"},
    ]
    assert CostModel.of(rows) == CostModel(
        (Rate(Kind.CALLS, Decimal("0.80"), "", JANUARY, MARCH), Rate(Kind.GOODS, Decimal("0.7"), "wine"))
    )
    with pytest.raises(ValueError, match="bribes"):
        CostModel.of([{"kind": "bribes", "per_unit": "1"}])


@pytest.mark.parametrize(
    ("overhead", "quantity"),
    [(Overhead(Kind.SALES), 1), (Overhead(Kind.SALES, "units"), 100), (Overhead(Kind.CALLS, "units"), 10)],
)
def test_overhead_stands_on_its_driver(overhead: Overhead, quantity: int) -> None:
    made = statement(Book.of(HISTORY), CostModel(rates(overhead="0.1"), overhead), JANUARY, MARCH)
    line = the(made, Kind.OVERHEAD)
    assert (line.quantity, line.amount) == (Decimal(quantity), Decimal(quantity) * Decimal("-0.1"))


def test_overhead_by_minutes_does_not_count_the_money_of_calls_billed_by_others() -> None:
    billed = spent(event("billed"), Kind.CALLS, Decimal("99.50"))
    costs = CostModel(rates(overhead="0.1", calls="0.80"), Overhead(Kind.CALLS, "units"))
    made = statement(Book.of([*HISTORY, billed]), costs, JANUARY, FEBRUARY)
    assert the(made, Kind.OVERHEAD).quantity == 10
    assert the(made, Kind.OVERHEAD).events == 3


def test_overhead_without_a_rate_in_its_month_is_unknown() -> None:
    made = statement(Book.of(HISTORY), CostModel((), Overhead(Kind.SALES)), JANUARY, MARCH)
    assert made.of(Kind.OVERHEAD) is None


def test_allocated_costs_add_up_to_the_whole() -> None:
    rate = allocate(Decimal(1000), Decimal(7))
    books = [Book.of([used(event(str(n)), Kind.CAMPAIGNS, Decimal(1), "spring")]) for n in range(7)]
    costs = CostModel((Rate(Kind.CAMPAIGNS, rate, "spring"),), Overhead(Kind.SALES))
    shares = [statement(book, costs, JANUARY, FEBRUARY).profit for book in books]
    assert sum(shares) == pytest.approx(Decimal(-1000), abs=Decimal("0.00001"))
    with pytest.raises(ValueError, match="nothing"):
        allocate(Decimal(1), Decimal(0))


def test_money_that_the_event_told_needs_no_rate() -> None:
    made = statement(Book.of([spent(event("parcel"), Kind.SHIPPING, Decimal("6.20"))]), NOTHING_KNOWN, JANUARY, MARCH)
    assert made.of(Kind.SHIPPING) == Decimal("-6.20")


def test_huge_quantities_are_costed_to_the_millionth() -> None:
    minutes = Decimal("999999999999.999999")
    costs = CostModel((Rate(Kind.CALLS, Decimal("0.333333333333")),), Overhead(Kind.SALES))
    made = statement(Book.of([used(event("call"), Kind.CALLS, minutes)]), costs, JANUARY, MARCH)
    assert made.of(Kind.CALLS) == Decimal("-333333333333.000000")
