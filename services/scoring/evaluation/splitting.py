"""The past cut in two: what the models may see (calibration) and what came after it (holdout)."""

from dataclasses import dataclass, replace

import numpy as np

from services.scoring.domain.fitting import Floats
from services.scoring.domain.histogram import Ints
from services.scoring.domain.mbg_nbd import Visits
from services.scoring.evaluation.reading import Sales

WEEK = 7.0


@dataclass(frozen=True)
class Base:
    """Customers who bought until a day, one element each. Times in weeks; `spend`: mean of the repeat purchase days."""

    customer: Ints
    x: Floats
    t_x: Floats
    age: Floats
    log_gaps: Floats
    """Sum of the logarithms of the weeks between purchases."""
    spend: Floats
    money: Floats

    def visits(self) -> Visits:
        return Visits(self.x, self.t_x, self.age, np.ones_like(self.x))


@dataclass(frozen=True)
class Future:
    """What the same customers did afterwards: purchase days, and money less returns."""

    purchases: Floats
    money: Floats
    weeks: float


@dataclass(frozen=True)
class Days:
    """Purchase days, sorted by customer and day: any number of purchases on one day is one."""

    customer: Ints
    day: Ints
    money: Floats
    lost_returns: int
    """Returns of customers who had bought nothing before."""

    @classmethod
    def of(cls, customer: Ints, day: Ints, amount: Floats) -> "Days":
        """A negative amount is a return: it lowers the money of the purchase day that it follows, and is no purchase."""
        bought = amount >= 0
        span = int(day.max(initial=0)) - int(day.min(initial=0)) + 2
        key = customer * span + (day - day.min(initial=0))
        unique, where = np.unique(key[bought], return_inverse=True)
        money = _totals(where, amount[bought], len(unique))
        follows = np.searchsorted(unique, key[~bought], side="right") - 1
        known = follows >= 0
        known[known] = unique[follows[known]] // span == customer[~bought][known]
        np.add.at(money, follows[known], amount[~bought][known])
        return cls(unique // span, unique % span + int(day.min(initial=0)), money, int((~known).sum()))


def base_at(days: Days, end: int) -> Base:
    """The customers of these purchase days, all of them until `end`, as they stood that evening."""
    customer, first, count = np.unique(days.customer, return_index=True, return_counts=True)
    first_day, last_day = days.day[first], days.day[first + count - 1]
    owner = np.repeat(np.arange(len(customer)), count)
    gaps = np.diff(days.day, prepend=0).astype(np.float64)
    gaps[first] = WEEK
    money = _totals(owner, days.money, len(customer))
    x = count.astype(np.float64) - 1.0
    repeat_money = money - days.money[first]
    return Base(
        customer=customer,
        x=x,
        t_x=(last_day - first_day) / WEEK,
        age=(end - first_day) / WEEK,
        log_gaps=_totals(owner, np.log(gaps / WEEK), len(customer)),
        spend=np.where(repeat_money > 0, repeat_money / np.maximum(x, 1.0), 0.0),
        money=money,
    )


@dataclass(frozen=True)
class Split:
    """Days counted from 1970-01-01; `end` the last of the calibration, `until` the last of the holdout."""

    base: Base
    days: Days
    future: Future
    start: int
    end: int
    until: int
    newcomers: int
    """Customers first seen in the holdout: nobody could have scored them."""
    later_rows: int
    lost_returns: int


def split(sales: Sales, end: int, until: int) -> Split:
    """Cut at the evening of `end`; what lies after `until` is not looked at."""
    before, after = sales.day <= end, (sales.day > end) & (sales.day <= until)
    seen = Days.of(sales.customer[before], sales.day[before], sales.amount[before])
    base = base_at(seen, end)
    later = Days.of(sales.customer[after], sales.day[after], sales.amount[after])
    newcomers = np.setdiff1d(later.customer, base.customer).size
    money = _sums(base.customer, sales.customer[after], sales.amount[after])
    future = Future(_sums(base.customer, later.customer, np.ones(len(later.customer))), money, (until - end) / WEEK)
    start = int(sales.day.min(initial=end))
    return Split(base, seen, future, start, end, until, newcomers, int((sales.day > until).sum()), seen.lost_returns)


def earlier(cut: Split, weeks: int) -> Split:
    """The calibration itself cut in two, so that models can be compared before the holdout is opened."""
    days, end = cut.days, cut.end - round(weeks * WEEK)
    seen = days.day <= end
    known = Days(days.customer[seen], days.day[seen], days.money[seen], 0)
    base, whose = base_at(known, end), days.customer[~seen]
    purchases, money = (_sums(base.customer, whose, values) for values in (np.ones(len(whose)), days.money[~seen]))
    return replace(cut, base=base, days=known, future=Future(purchases, money, float(weeks)), end=end, until=cut.end)


def _sums(customers: Ints, whose: Ints, values: Floats) -> Floats:
    """By customer, of those who are in the base; `customers` sorted."""
    place = np.searchsorted(customers, whose).clip(max=max(len(customers) - 1, 0))
    ours = customers[place] == whose if len(customers) else np.zeros(len(whose), bool)
    return _totals(place[ours], values[ours], len(customers))


def _totals(places: Ints, values: Floats, size: int) -> Floats:
    return np.bincount(places, weights=values, minlength=size).astype(np.float64)
