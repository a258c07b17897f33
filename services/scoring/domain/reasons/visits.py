"""Facts about when and how often a customer buys."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from math import sqrt
from statistics import median

from services.scoring.domain.purchases import EPOCH, PurchaseDay, Purchases
from services.scoring.domain.reasons.fact import UNUSUAL, Code, Fact, Figures
from services.scoring.domain.reasons.situation import Situation
from services.scoring.domain.reasons.words import ago, every, ordinal, span

BACK_FROM, BACK_DAYS = 2.0, 60
"""So many usual gaps, and so many days, make it a return and not a late purchase."""
CHANCE = 1.5
"""Standard deviations by which two counts must differ, if buying is a Poisson process: 3 after 5 is no change of pace."""
WINDOW = 91
"""Days over which the pace is compared with the time before: a quarter, whole weeks."""


def silence(after: Situation) -> Iterator[Fact]:
    purchases = after.purchases
    last, usual = purchases.days[-1].day, usual_gap(purchases)
    silent = after.today - last
    if usual is None:
        if silent > 0:
            figures: Figures = {"days": silent}
            yield Fact("bought-once", f"bought once, {ago(silent)}", figures, replace(after, today=last))
    elif is_silent(after):
        length = span(silent)
        text = f"no purchase for {length}, usually {every(usual, length)}"
        yield Fact("silent", text, {"days": silent, "usual_days": usual}, replace(after, today=last + round(usual)))


def change(old: Purchases, after: Situation) -> Iterator[Fact]:
    new = after.purchases
    if new.orders < old.orders:
        figures: Figures = {"orders": old.orders - new.orders}
        yield Fact("taken-back", _taken_back(old.orders - new.orders), figures, replace(after, purchases=old))
    elif new.days[-1].day > old.days[-1].day:
        code, text, figures = _purchase(old, after)
        yield Fact(code, text, figures, replace(after, purchases=old))


def _taken_back(orders: int) -> str:
    return "a purchase was taken back" if orders == 1 else f"{orders} purchases were taken back"


def _purchase(old: Purchases, after: Situation) -> tuple[Code, str, Figures]:
    """The latest purchase: a return after long, one of many of this month, or simply the next."""
    new, usual = after.purchases, usual_gap(old)
    gap = next(day.day for day in new.days if day.day > old.days[-1].day) - old.days[-1].day
    length = span(gap)
    if gap >= max(BACK_DAYS, BACK_FROM * (usual or 0)):
        rhythm = f", usually {every(usual, length)}" if usual else ""
        return "came-back", f"bought again after {length}{rhythm}", _gap_figures(gap, usual)
    this_month = sum(_month(day.day) == _month(after.today) for day in new.days)
    if this_month > 1 and _month(new.days[-1].day) == _month(after.today):
        return "often-this-month", f"{ordinal(this_month)} purchase this month", {"purchases": this_month}
    if usual is None:
        return "bought-again", f"bought a second time, after {length}", _gap_figures(gap, usual)
    rhythm = f"usually {every(usual, length)}" if not usual / UNUSUAL < gap < usual * UNUSUAL else "as usual"
    return "bought-again", f"bought again after {length}, {rhythm}", _gap_figures(gap, usual)


def _gap_figures(gap: int, usual: float | None) -> Figures:
    return {"days": gap} if usual is None else {"days": gap, "usual_days": usual}


def pace(after: Situation) -> Iterator[Fact]:
    """Purchase days of the last quarter against those of the quarter before, if the customer was there for both.

    Nothing of those who are silent: that they buy less often then is the same fact.
    """
    if is_silent(after):
        return
    days, start = after.purchases.days, after.today - WINDOW
    now = [day for day in days if day.day > start]
    was = [day for day in days if start - WINDOW < day.day <= start]
    if days[0].day > start - WINDOW or not now or not was:
        return
    if 1 / UNUSUAL < len(now) / len(was) < UNUSUAL or abs(len(now) - len(was)) < CHANCE * sqrt(len(now) + len(was)):
        return
    code: Code = "buys-more-often" if len(now) > len(was) else "buys-less-often"
    text = f"{len(now)} {_visits(len(now))} in the last 3 months, {len(was)} in the 3 before"
    figures: Figures = {"purchases": len(now), "purchases_before": len(was), "days": WINDOW}
    yield Fact(code, text, figures, replace(after, purchases=_at_pace(after.purchases, len(now), len(was), start)))


def _visits(n: int) -> str:
    return "purchase" if n == 1 else "purchases"


def _at_pace(purchases: Purchases, now: int, was: int, start: int) -> Purchases:
    """As many purchase days since `start` as before it, with the same last day."""
    *earlier, last = purchases.days
    if now > was:
        since = len(purchases.days) - now
        return Purchases((*purchases.days[:since], *purchases.days[len(purchases.days) - was :]))
    taken = {day.day for day in purchases.days}
    free = [day for day in range(start + 1, last.day) if day not in taken][: was - now]
    spend = purchases.micros // len(purchases.days)
    more = [PurchaseDay(day, 1, spend, 0, 0) for day in free]
    return Purchases((*sorted([*earlier, *more]), last))


def is_silent(situation: Situation) -> bool:
    usual = usual_gap(situation.purchases)
    return usual is not None and situation.today - situation.purchases.days[-1].day >= UNUSUAL * usual


def usual_gap(purchases: Purchases) -> float | None:
    """Days from one purchase day to the next: the median, so that one long break is none of them. None without a second."""
    return (
        float(median(later.day - day.day for day, later in pairwise(purchases.days))) if purchases.frequency else None
    )


def _month(day: int) -> tuple[int, int]:
    date: datetime = EPOCH + timedelta(days=day)
    return date.year, date.month
