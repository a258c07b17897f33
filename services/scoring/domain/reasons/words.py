"""Numbers, times and money as people say them."""

import math
from typing import NamedTuple

WEEK, MONTH, YEAR = 7.0, 365.25 / 12, 365.25
WORDS = ("zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
TIMES = ("never", "once", "twice", "three times", "four times", "five times", "six times")
PARTS = (
    (0.1, "a tenth"),
    (0.2, "a fifth"),
    (0.25, "a quarter"),
    (1 / 3, "a third"),
    (0.5, "a half"),
    (2 / 3, "two thirds"),
)
ROUGHLY = 0.2
"""So near to a part, it is called by its name."""
SHARES = ((0.95, "nineteen in twenty"), (0.9, "nine in ten"), (0.8, "four in five"), (2 / 3, "two in three"))


class Span(NamedTuple):
    """A length of time in the unit that one would use for it."""

    number: int
    unit: str

    def __str__(self) -> str:
        return f"{self.number} {self.unit}{'' if self.number == 1 else 's'}"


def span(days: float) -> Span:
    """Days below two weeks (but 7 are a week), weeks below three months, months below three years."""
    whole = round(days)
    if whole < 2 * WEEK:
        return Span(1, "week") if whole == WEEK else Span(whole, "day")
    if days < 3 * MONTH:
        return Span(round(days / WEEK), "week")
    if days < 3 * YEAR:
        return Span(round(days / MONTH), "month")
    return Span(round(days / YEAR), "year")


def every(days: float, beside: Span | None = None) -> str:
    """The rhythm: every week, every 3 weeks; and only every 3 beside a length of time that names the same unit."""
    usual = span(max(days, 1.0))
    if usual.number == 1:
        return f"every {usual.unit}"
    return f"every {usual.number}" if beside and beside.unit == usual.unit and beside.number > 1 else f"every {usual}"


def ago(days: int) -> str:
    if days <= 0:
        return "today"
    return "yesterday" if days == 1 else f"{span(days)} ago"


def ordinal(n: int) -> str:
    if n < len(WORDS):
        return WORDS[n]
    ending = "th" if n % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"


def times(n: int) -> str:
    return TIMES[n] if n < len(TIMES) else f"{n} times"


def part(share: float) -> str:
    """The nearest part that people have a word for; beyond, in percent."""
    nearest, words = min(PARTS, key=lambda one: abs(math.log(share / one[0])))
    return words if abs(share / nearest - 1.0) < ROUGHLY else f"{share:.0%}"


def money(amount: float, currency: str) -> str:
    """Whole from 20 on, as one speaks; to the cent below."""
    return f"{amount:,.0f} {currency}" if round(amount, 2) >= 20 else f"{amount:.2f} {currency}"


def compared(share_below: float) -> str | None:
    """What to say of somebody above such a share of customers; None of somebody in the middle."""
    for share, words in SHARES:
        if share_below >= share:
            return f"more than {words} customers"
        if 1.0 - share_below >= share:
            return f"less than {words} customers"
    return None
