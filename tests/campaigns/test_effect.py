"""The effect of a campaign is what the arms' orders say, no more."""

from datetime import datetime
from decimal import Decimal
from statistics import variance

import pytest
from hypothesis import given, strategies as st
from scipy import stats

from services.campaigns.domain.campaign import Arm, Campaign, drawn
from services.campaigns.domain.effect import Tally, add_up, effect, no_figures
from services.campaigns.domain.findings import Effect
from services.campaigns.handlers.campaigns import Response
from tests.campaigns.facts import amounts, day
from tests.campaigns.test_campaign import DRAFT

OVER = day(400)


def arm_of(*revenues: str) -> Tally:
    """An arm by its customers' revenues; "0" has not bought."""
    counted = Tally()
    for revenue in revenues:
        counted.add(int(revenue != "0"), Decimal(revenue))
    return counted


def found(treatment: Tally, control: Tally, now: datetime = OVER, campaign: Campaign = DRAFT) -> Effect:
    return effect(drawn(campaign, day(0), 0, 0), treatment, control, now=now, currency="USD")


WORKED = found(arm_of(*["12.00", "10.00", "0"] * 70), arm_of(*["0", "9.00", "0"] * 30))


def test_figures_of_each_arm_are_exact() -> None:
    treatment = WORKED.treatment
    assert (treatment.customers, treatment.responders, treatment.orders) == (210, 140, 140)
    assert (treatment.revenue, treatment.revenue_per_customer) == (Decimal("1540.00"), Decimal("7.33"))
    assert treatment.response_rate == pytest.approx(2 / 3)


def test_a_clear_effect_is_conclusive_and_told_in_money() -> None:
    assert WORKED.conclusive
    assert WORKED.revenue_per_customer is not None
    assert WORKED.incremental_revenue is not None
    assert WORKED.revenue_per_customer.estimate == Decimal("4.33")
    assert WORKED.incremental_revenue.estimate == Decimal("910.00")
    assert WORKED.verdict[0].startswith("The campaign brought in 4.33 USD per treated customer (95 % interval 3.")
    assert WORKED.verdict[0].endswith("910.00 USD in all.")
    assert WORKED.verdict[1].startswith("A larger share of the treated customers bought: +33.3 points")


def test_the_interval_of_revenue_is_that_of_welch() -> None:
    expected = stats.ttest_ind([12.0, 10.0, 0.0] * 70, [0.0, 9.0, 0.0] * 30, equal_var=False).confidence_interval()
    revenue = WORKED.revenue_per_customer
    assert revenue is not None
    assert revenue.low is not None
    assert revenue.high is not None
    assert (float(revenue.low), float(revenue.high)) == pytest.approx((expected.low, expected.high), abs=0.005)


def test_arms_that_do_not_differ_are_not_conclusive() -> None:
    same = found(arm_of(*["8", "0"] * 70), arm_of(*["8", "0"] * 30))
    assert not same.conclusive
    assert same.verdict[0].startswith("No effect on revenue is shown: +0.00 USD per customer")
    assert same.verdict[1].startswith("No effect on the share of customers who buy is shown")


def test_nothing_is_conclusive_while_the_window_is_open() -> None:
    early = found(arm_of(*["12", "0"] * 70), arm_of(*["0", "0"] * 30), now=day(59))
    assert (early.final, early.conclusive) == (False, False)
    assert not found(arm_of("1"), arm_of("1"), now=day(60)).final
    assert found(arm_of("1"), arm_of("1"), now=day(60.1)).final
    assert early.verdict[0] == "Preliminary: responses count until 2017-03-02 00:00 UTC."


def test_an_uneven_split_stops_the_report() -> None:
    uneven = found(arm_of(*["12", "0"] * 70), arm_of(*["0", "0"] * 5))
    assert uneven.split.mismatch
    assert not uneven.conclusive
    assert uneven.verdict == [
        "The arms are not as planned, 6.7% held out instead of 30.0%: do not trust the comparison."
    ]


def test_without_a_control_group_there_is_no_claim() -> None:
    alone = found(arm_of("12", "0"), Tally(), campaign=DRAFT.model_copy(update={"control_share": 0.0}))
    assert (alone.response_rate, alone.revenue_per_customer, alone.split.mismatch) == (None, None, False)
    assert alone.verdict == ["Without customers in both arms nobody can say what the campaign did."]


def test_an_empty_campaign_has_an_effect_of_nobody() -> None:
    empty = found(Tally(), Tally())
    assert (empty.treatment.customers, empty.treatment.response_rate, empty.split.p_value) == (0, None, None)
    assert not empty.conclusive


def test_nobody_bought_gives_no_limits_and_a_caution() -> None:
    silent = found(arm_of(*["0"] * 70), arm_of(*["0"] * 30))
    assert silent.revenue_per_customer is not None
    assert silent.revenue_per_customer.low is None
    assert silent.verdict[0] == "Too few customers or orders to put limits on the revenue per customer."
    assert "fewer than 10 responders" in silent.verdict[-1]


def test_a_harmful_campaign_is_called_one() -> None:
    harm = found(arm_of(*["1", "0"] * 70), arm_of(*["12", "11"] * 30))
    assert harm.conclusive
    assert harm.verdict[0].startswith("The campaign cost 11.00 USD per treated customer")


def test_customers_are_added_up_by_arm_whether_they_bought_or_not() -> None:
    arms: list[tuple[str, Arm]] = [("a", "treatment"), ("b", "treatment"), ("c", "control")]
    figures = no_figures()
    bought = {"a": (2, Decimal("30.00"))}
    add_up(figures, [Response(*one, *bought.get(one[0], (0, Decimal(0)))) for one in arms])
    assert figures["treatment"] == Tally(2, 1, 2, Decimal("30.00"), Decimal("900.0000"))
    assert figures["control"] == Tally(customers=1)


@given(st.lists(amounts, min_size=2, max_size=20))
def test_the_variance_from_sums_is_that_of_the_values(revenues: list[Decimal]) -> None:
    counted = Tally()
    for revenue in revenues:
        counted.add(1, revenue)
    expected = variance(revenues)
    assert counted.sample().variance == pytest.approx(float(expected), rel=1e-9, abs=1e-12)
