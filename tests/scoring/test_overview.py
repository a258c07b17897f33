"""The base looked through: gaps, who came back, and inputs are what customer by customer gives, in any pages."""

from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest

from services.scoring.domain.drift import Shift
from services.scoring.domain.fitting import Doubt
from services.scoring.domain.nomination import Nomination, held_back, nominate
from services.scoring.domain.overview import Inputs, Overview
from services.scoring.domain.purchases import Order, Purchases, day_of
from services.scoring.domain.purchasing import Family
from tests.scoring.orders import on, synthetic_base
from tests.scoring.regular import regular_base

BASE, END = synthetic_base(1_200, 900, seed=61)
TODAY = day_of(END)
CUT = TODAY - 200


def overview(base: list[Purchases], today: int = TODAY, cut: int = CUT) -> Overview:
    return Overview.of([one.pack() for one in base], today, cut)


def gaps(base: list[Purchases]) -> float:
    return float(sum(np.log(b.day - a.day) for one in base for a, b in pairwise(one.days)))


def test_it_adds_up_what_each_customer_says() -> None:
    seen, then = overview(BASE), [known for one in BASE if (known := one.until(CUT)).days]
    assert seen.now.log_gaps == pytest.approx(gaps(BASE))
    assert seen.before.log_gaps == pytest.approx(gaps(then))
    assert (seen.now.customers, seen.before.customers) == (len(BASE), len(then))
    assert seen.before.bought.sum() == sum(one.until(CUT).days != () and one.last_day > CUT for one in BASE)
    visits = seen.now.visits(TODAY)
    assert visits.customers @ visits.x == sum(one.frequency for one in BASE)
    assert visits.customers @ visits.age == pytest.approx(sum(TODAY - one.first_day for one in BASE))
    assert seen.first_day == min(one.first_day for one in BASE)
    assert {column.sum() for column in seen.inputs.columns.values()} == {len(BASE)}


def test_pages_add_up_and_inputs_survive_being_stored() -> None:
    whole, parts = overview(BASE), overview(BASE[:500]).plus(overview(BASE[500:])).plus(Overview.empty())
    assert parts.before.log_gaps == pytest.approx(whole.before.log_gaps)
    assert parts.first_day == whole.first_day
    for mine, theirs in ((parts.now, whole.now), (parts.before, whole.before)):
        assert (mine.cells.keys == theirs.cells.keys).all()
        assert (mine.cells.sums == theirs.cells.sums).all()
    again = Inputs.unpack(whole.inputs.pack())
    assert all((again.columns[name] == column).all() for name, column in whole.inputs.columns.items())


def test_days_that_were_cancelled_make_no_gap() -> None:
    void = on("2021-02-01")
    one = Purchases.of([on("2021-01-01"), void, Order.cancelled(void.at, void.total), on("2021-03-01")])
    assert overview([one, Purchases()]).now.log_gaps == pytest.approx(np.log(59))


def test_inputs_drift_where_customers_are_others_and_not_by_chance() -> None:
    half = overview(BASE[:600]).inputs
    alike = overview(BASE[600:]).inputs.drift(half)
    assert {one.shift for one in alike.values()} == {Shift.NONE}
    later = Overview.of([one.pack() for one in BASE[600:]], TODAY + 400, CUT).inputs.drift(half)
    assert (later["recency"].shift, later["money"].shift) == (Shift.LARGE, Shift.NONE)


def nominated(base: list[Purchases], end_day: int) -> Nomination | Doubt:
    cut = held_back(min((one.first_day for one in base), default=end_day), end_day)
    return nominate(overview(base, end_day, cut), end_day, cut)


def test_regular_buyers_are_given_their_rhythm_and_others_are_not() -> None:
    base, end = regular_base(1_500, 900, seed=5)
    regular = nominated(base, day_of(end))
    assert isinstance(regular, Nomination)
    assert regular.family == Family(3)
    assert "foretold" in regular.why
    plain = nominated(BASE, TODAY)
    assert isinstance(plain, Nomination)
    assert (plain.family, plain.why) == (Family(), "the most likely k")


def test_customers_who_never_leave_are_found_as_a_share_or_as_everybody() -> None:
    leaving, end = regular_base(1_500, 1_200, seed=6, leaving=0.5, steps=1)
    staying, _ = regular_base(700, 1_200, seed=7, leaving=0.0, steps=1)
    mixed = nominated(leaving + staying, day_of(end))
    assert isinstance(mixed, Nomination)
    assert mixed.family.loyal
    nobody = nominated(staying, day_of(end))
    assert isinstance(nobody, Nomination)
    assert not nobody.family.leaving
    assert "explains the base no better" in nobody.why


@pytest.mark.parametrize(
    "base",
    [[], [Purchases.of([on("2021-01-01")])], [Purchases.of([on("2021-01-01")])] * 400],
    ids=["nobody", "one", "one-purchase-each"],
)
def test_a_base_that_says_too_little_is_a_doubt(base: list[Purchases]) -> None:
    assert nominated(base, TODAY) is Doubt.TOO_FEW


def test_everybody_alike_is_a_doubt_or_a_sound_family() -> None:
    alike = [Purchases.of([on("2021-01-01"), on("2021-02-01"), on("2021-03-01")])] * 300
    found = nominated(alike, day_of(on("2021-03-15").at))
    assert isinstance(found, Doubt) or (found.family.k >= 1 and bool(found.why))


def test_the_quarter_held_back_is_a_day_at_least() -> None:
    assert held_back(100, 500) == 400
    assert held_back(100, 100) == 99
    assert held_back(day_of(END - timedelta(days=2)), TODAY) == TODAY - 1
