"""A campaign's effect in words that a marketer can read, and cannot misread."""

from decimal import Decimal

from services.campaigns.domain.findings import Effect, MoneyDifference, RateDifference

FEW_RESPONDERS = 10


def verdict(found: Effect) -> list[str]:
    """The findings as a marketer would say them."""
    if found.split.mismatch:
        actual, planned = share(found.split.control_share_actual), share(found.split.control_share_planned)
        return [f"The arms are not as planned, {actual} held out instead of {planned}: do not trust the comparison."]
    if found.response_rate is None or found.revenue_per_customer is None:
        return ["Without customers in both arms nobody can say what the campaign did."]
    said = [] if found.final else [f"Preliminary: responses count until {found.counted_until:%Y-%m-%d %H:%M} UTC."]
    said += [of_revenue(found.revenue_per_customer, found), of_rate(found.response_rate)]
    if min(found.treatment.responders, found.control.responders) < FEW_RESPONDERS:
        said.append(f"An arm has fewer than {FEW_RESPONDERS} responders: read the intervals with caution.")
    return said


def of_revenue(revenue: MoneyDifference, found: Effect) -> str:
    if revenue.low is None or revenue.high is None:
        return "Too few customers or orders to put limits on the revenue per customer."
    money = found.currency
    limits = f"95 % interval {revenue.low} to {revenue.high} {money}"
    if not revenue.excludes_zero:
        return (
            f"No effect on revenue is shown: {signed(revenue.estimate)} {money} per customer ({limits} contains zero)."
        )
    verb = "brought in" if revenue.estimate > 0 else "cost"
    total = found.incremental_revenue
    assert total is not None
    each, in_all = f"{abs(revenue.estimate)} {money}", f"{abs(total.estimate)} {money}"
    return f"The campaign {verb} {each} per treated customer ({limits}), {in_all} in all."


def of_rate(rate: RateDifference) -> str:
    limits = f"95 % interval {rate.low * 100:+.1f} to {rate.high * 100:+.1f} points"
    if not rate.excludes_zero:
        return f"No effect on the share of customers who buy is shown: {rate.estimate * 100:+.1f} points ({limits})."
    more = "A larger" if rate.estimate > 0 else "A smaller"
    return f"{more} share of the treated customers bought: {rate.estimate * 100:+.1f} points ({limits})."


def share(value: float | None) -> str:
    return "nobody" if value is None else f"{value:.1%}"


def signed(amount: Decimal) -> str:
    return f"{amount:+}"
