"""The cost model: what a unit of each kind costs, from which month until which. A company's own configuration.

Nothing is known unless it is said: a kind without a rate is an unknown cost and not a free one. What costs nothing is
said too, with a rate of `FREE`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from itertools import combinations
from typing import Literal

from services.scoring.domain.profit.kinds import NATURE, Group, Kind, month_named, name_of

FREE = Decimal(0)
"""The rate of what is known to cost nothing."""
RATE_DIGITS = Decimal("1e-12")
"""Allocated rates have so many decimals: a million units are off by a millionth."""


@dataclass(frozen=True)
class Rate:
    """Money per unit of a kind: of one subject (a campaign, a category, a way of paying), or of all that have none.

    `since`: first month of validity, `until`: the first month that is no longer in it; None: always, and for ever.
    """

    kind: Kind
    per_unit: Decimal
    subject: str = ""
    since: int | None = None
    until: int | None = None

    def __post_init__(self) -> None:
        if NATURE[self.kind].group in (Group.REVENUE, Group.BORNE_BY_OTHERS):
            raise ValueError(f"{self.kind} is not a cost")
        if not self.per_unit.is_finite():
            raise ValueError(f"{self.kind}: a rate is a number")
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise ValueError(
                f"{self.kind}: no month lies from {name_of(self.since)} until before {name_of(self.until)}"
            )

    def covers(self, month: int) -> bool:
        return (self.since is None or self.since <= month) and (self.until is None or month < self.until)

    def overlaps(self, other: "Rate") -> bool:
        return not (_ends_before(self, other) or _ends_before(other, self))


def _ends_before(one: Rate, other: Rate) -> bool:
    return one.until is not None and other.since is not None and one.until <= other.since


@dataclass(frozen=True)
class Overhead:
    """What drives overhead: each event of a kind, or each unit of it. Its rate is that of Kind.OVERHEAD."""

    driver: Kind
    by: Literal["events", "units"] = "events"


@dataclass(frozen=True)
class CostModel:
    """Rates, of which at most one is valid for a subject in a month. Without a driver overhead is unknown."""

    rates: tuple[Rate, ...] = ()
    overhead: Overhead | None = None

    _by_subject: Mapping[tuple[Kind, str], list[Rate]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_subject: dict[tuple[Kind, str], list[Rate]] = {}
        for rate in self.rates:
            by_subject.setdefault((rate.kind, rate.subject), []).append(rate)
        for (kind, subject), rates in by_subject.items():
            if any(one.overlaps(other) for one, other in combinations(rates, 2)):
                raise ValueError(f"two rates of {kind} {subject}".rstrip() + " are valid in the same month")
        object.__setattr__(self, "_by_subject", by_subject)

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, str]], overhead: Overhead | None = None) -> "CostModel":
        """From rows of texts: kind, per_unit, and as far as wanted subject, since, until ("2024-07")."""
        return cls(tuple(map(_rate, rows)), overhead)

    def rate(self, kind: Kind, subject: str, month: int) -> Decimal | None:
        """The subject's own rate in that month, or else that of the kind; None where it is unknown."""
        own, general = self._by_subject.get((kind, subject), ()), self._by_subject.get((kind, ""), ())
        return next((rate.per_unit for rate in (*own, *general) if rate.covers(month)), None)


NOTHING_KNOWN = CostModel()
"""The default: all costs that events do not tell are unknown."""


def allocate(cost: Decimal, quantity: Decimal) -> Decimal:
    """A rate that spreads a known total evenly: a campaign's cost over its contacts, a month's overhead over its driver.

    ValueError where there is nothing to spread it over.
    """
    if quantity <= 0:
        raise ValueError("a cost cannot be spread over nothing")
    with localcontext(prec=50):
        return (cost / quantity).quantize(RATE_DIGITS)


def _rate(row: Mapping[str, str]) -> Rate:
    since, until = (month_named(row[name]) if row.get(name) else None for name in ("since", "until"))
    return Rate(Kind(row["kind"]), Decimal(row["per_unit"]), row.get("subject", ""), since, until)
