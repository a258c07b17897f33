"""What a campaign did: its treated customers compared with those deliberately left alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Protocol

from services.campaigns.domain.campaign import Arm, Campaign
from services.campaigns.domain.findings import ArmFigures, Effect, MoneyDifference, RateDifference, Split
from services.campaigns.domain.statistics import Interval, Sample, newcombe, sample_ratio_p, welch
from services.campaigns.domain.verdict import verdict

CENT = Decimal("0.01")
MISMATCH_BELOW = 0.001
"""A split this improbable stops the report: whatever made it uneven may also have made the arms different."""


@dataclass(slots=True)
class Tally:
    """The figures of one arm while they are added up. `squares` is the sum of the squared revenue per customer."""

    customers: int = 0
    responders: int = 0
    orders: int = 0
    revenue: Decimal = Decimal(0)
    squares: Decimal = Decimal(0)

    def add(self, orders: int, revenue: Decimal) -> None:
        """One customer, with the orders within the response window."""
        self.customers += 1
        self.responders += orders > 0
        self.orders += orders
        self.revenue += revenue
        self.squares += revenue * revenue

    def sample(self) -> Sample:
        """Revenue per customer. The variance comes from exact sums, so nothing cancels."""
        if self.customers == 0:
            return Sample(0, 0.0, 0.0)
        mean = self.revenue / self.customers
        spread = self.squares - self.revenue * mean
        return Sample(self.customers, float(mean), max(0.0, float(spread)) / max(1, self.customers - 1))


def no_figures() -> dict[Arm, Tally]:
    return {"treatment": Tally(), "control": Tally()}


class Responding(Protocol):
    """A customer of a campaign, and what the person has bought, if they count as themselves."""

    @property
    def arm(self) -> Arm: ...

    @property
    def orders(self) -> int: ...

    @property
    def revenue(self) -> Decimal: ...

    @property
    def counted_with(self) -> str | None: ...


def add_up(figures: Mapping[Arm, Tally], responses: Iterable[Responding]) -> None:
    """Add customers with their arms, each person once."""
    for one in responses:
        if one.counted_with is None:
            figures[one.arm].add(one.orders, one.revenue)


def effect(campaign: Campaign, treatment: Tally, control: Tally, *, now: datetime, currency: str) -> Effect:
    """Compare the arms, as of `now`."""
    begin, end = campaign.window()
    split = check_split(campaign.control_share, treatment.customers, control.customers)
    rate = compare_rates(treatment, control)
    revenue = welch(treatment.sample(), control.sample())
    known = rate is not None
    final = campaign.state == "closed" or now > end
    found = Effect(
        campaign_id=campaign.campaign_id,
        counted_from=begin,
        counted_until=end,
        final=final,
        currency=currency,
        treatment=figures(treatment),
        control=figures(control),
        response_rate=rate,
        revenue_per_customer=compare_means(treatment, control, revenue, times=1) if known else None,
        incremental_revenue=compare_means(treatment, control, revenue, times=treatment.customers) if known else None,
        split=split,
        conclusive=final and not split.mismatch and revenue is not None and revenue.excludes_zero,
        verdict=[],
    )
    return found.model_copy(update={"verdict": verdict(found)})


def figures(tally: Tally) -> ArmFigures:
    n = tally.customers
    return ArmFigures(
        customers=n,
        responders=tally.responders,
        response_rate=tally.responders / n if n else None,
        orders=tally.orders,
        revenue=tally.revenue,
        revenue_per_customer=cents(tally.revenue / n) if n else None,
    )


def check_split(planned: float, treatment: int, control: int) -> Split:
    n = treatment + control
    p = sample_ratio_p(control, treatment, planned) if planned > 0 and n else None
    return Split(
        control_share_planned=planned,
        control_share_actual=control / n if n else None,
        p_value=p,
        mismatch=p is not None and p < MISMATCH_BELOW,
    )


def compare_rates(treatment: Tally, control: Tally) -> RateDifference | None:
    if not treatment.customers or not control.customers:
        return None
    found = newcombe(treatment.responders, treatment.customers, control.responders, control.customers)
    return RateDifference(estimate=found.estimate, low=found.low, high=found.high, excludes_zero=found.excludes_zero)


def compare_means(treatment: Tally, control: Tally, interval: Interval | None, times: int) -> MoneyDifference:
    """The difference of means times a number of customers; the estimate from exact sums."""
    estimate = (treatment.revenue / treatment.customers - control.revenue / control.customers) * times
    return MoneyDifference(
        estimate=cents(estimate),
        low=interval and cents(Decimal(interval.low) * times),
        high=interval and cents(Decimal(interval.high) * times),
        excludes_zero=interval is not None and interval.excludes_zero,
    )


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_EVEN)
