"""Which facts are named: by what each of them alone has done to the score."""

import json
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from services.scoring.domain.gamma_gamma import GammaGamma
from services.scoring.domain.mbg_nbd import MbgNbd
from services.scoring.domain.model import Parameters
from services.scoring.domain.prediction import P_BAND, VALUE_BAND, Histories, predict
from services.scoring.domain.purchases import EPOCH
from services.scoring.domain.reasons import Among, ByModel, Scores, Situation, facts, reasons
from tests.scoring.reasons.customers import AMONG, EVERY_THREE_WEEKS, MODEL, NOBODY, bought, heeding_signals, seen

days = st.sets(st.integers(0, 400), min_size=1, max_size=25)
signals = st.dictionaries(st.sampled_from(["payment-failed", "complaint", "return"]), st.integers(0, 9))
customers = st.builds(
    lambda on, wait, lately, spend: seen(bought(*on, spend=spend), max(on) + wait, lately),
    days,
    st.integers(0, 700),
    signals,
    st.sampled_from(["0", "3.99", "35", "900"]),
)


def said(before: Situation | None, after: Situation, among: Among = AMONG) -> list[str]:
    return [reason.text for reason in reasons(before, after, MODEL, among)]


def test_a_silent_customers_reason_is_the_silence() -> None:
    (reason,) = reasons(seen(EVERY_THREE_WEEKS, 195), seen(EVERY_THREE_WEEKS, 189 + 63), MODEL, AMONG)
    assert (reason.code, reason.text) == ("silent", "no purchase for 9 weeks, usually every 3")
    assert reason.figures == {"days": 63, "usual_days": 21.0}
    assert reason.effect["p_churn"] > 0.2
    assert reason.effect["value"] < -30


def test_the_effect_is_the_score_less_the_score_without_the_fact() -> None:
    (reason,) = reasons(None, seen(EVERY_THREE_WEEKS, 189 + 63), MODEL, AMONG)
    with_, without = (
        1.0
        - MODEL.visits.p_alive(np.array([9.0]), np.array([189.0]), np.array([age]))  # type: ignore[attr-defined]
        * (1 - ((40 + age) / (40 + age + 90)) ** 9.8)
        for age in (189.0 + 63, 189.0 + 21)
    )
    assert reason.effect["p_churn"] == pytest.approx(float((with_ - without)[0]), abs=1e-6)


def test_a_returning_customer_is_said_to_have_come_back() -> None:
    before = seen(bought(0, 20, 40), 199)
    assert said(before, seen(bought(0, 20, 40, 200), 200)) == ["bought again after 5 months, usually every 3 weeks"]


def test_the_fact_that_moved_the_score_most_comes_first() -> None:
    before, spend = seen(bought(0, 60, 120), 181), "400"
    after = seen(bought(0, 60, 120).plus(bought(182, spend=spend)), 182)
    assert said(before, after) == [
        "bought again after 9 weeks, as usual",
        "spent 400 EUR last time, usually 35 EUR",
    ]
    much = seen(bought(0, 60, 120, spend="400"), 125)
    assert said(None, much, AMONG._replace(spends_less=0.96)) == [
        "spends 400 EUR a visit, more than nineteen in twenty customers"
    ]


def test_troubles_count_as_far_as_the_score_heeds_them() -> None:
    purchases = bought(0, 20, 40, 60)
    before, after = seen(purchases, 65), seen(purchases, 66, {"payment-failed": 2, "complaint": 1})
    assert said(before, after) == []
    heeded = reasons(before, after, heeding_signals, AMONG)
    assert [reason.text for reason in heeded] == ["payment failed twice", "complained once"]
    assert heeded[0].effect["p_churn"] > heeded[1].effect["p_churn"] > 0


def test_a_first_purchase_is_its_own_reason_and_has_no_effect_to_name() -> None:
    (reason,) = reasons(seen(NOBODY, 0), seen(bought(5), 5), MODEL, AMONG)
    assert (reason.text, reason.effect) == ("first purchase today", {})


def test_nothing_is_said_where_nothing_happened() -> None:
    assert said(seen(EVERY_THREE_WEEKS, 190), seen(EVERY_THREE_WEEKS, 195)) == []


def test_of_whom_everything_was_taken_back_there_is_no_score_to_explain() -> None:
    assert reasons(seen(bought(0), 3), seen(NOBODY, 4), MODEL, AMONG) == ()


def test_at_most_three_facts_are_named() -> None:
    old = bought(*range(0, 190, 30), spend="20")
    after = seen(old.plus(bought(181, 183, 185, 187, spend="300")), 187, {"payment-failed": 3, "complaint": 4})
    among = AMONG._replace(spends_less=0.99)
    assert len(list(facts(seen(old, 180), after, among))) > 3
    assert [reason.code for reason in reasons(seen(old, 180), after, heeding_signals, among)] == [
        "often-this-month",
        "spends-much",
        "payment-failed",
    ]


def test_a_fact_that_moved_the_score_against_the_sense_of_its_words_is_not_named() -> None:
    def contrary(situations: Sequence[Situation]) -> Scores:
        churn, value = MODEL(situations)
        return Scores(1 - churn, 1 / value)

    after = seen(EVERY_THREE_WEEKS, 189 + 63)
    assert said(None, after) == ["no purchase for 9 weeks, usually every 3"]
    assert reasons(None, after, contrary, AMONG) == ()


@settings(deadline=None, max_examples=60)
@given(before=st.none() | customers, after=customers, spends_less=st.none() | st.floats(0, 1))
def test_whoever_it_is_the_reasons_are_few_material_in_order_and_readable(
    before: Situation | None, after: Situation, spends_less: float | None
) -> None:
    among = AMONG._replace(spends_less=spends_less)
    found = reasons(before, after, heeding_signals, among)
    assert len(found) <= 3
    assert len({reason.code for reason in found}) == len(found)
    value = float(heeding_signals([after]).value[0])
    for reason in found:
        churn, money = abs(reason.effect["p_churn"]), abs(reason.effect["value"])
        without = value - reason.effect["value"]
        assert churn >= P_BAND - 1e-6 or money + 0.01 >= VALUE_BAND * min(value, without)
        assert reason.text == " ".join(reason.text.split())
        assert " 1 days" not in reason.text
        json.dumps([reason.code, reason.text, reason.figures, dict(reason.effect)], allow_nan=False)
    assert found == reasons(before, after, heeding_signals, among)


@settings(deadline=None, max_examples=40)
@given(st.lists(customers, min_size=1, max_size=5))
def test_the_scores_explained_are_those_of_the_service(situations: list[Situation]) -> None:
    parameters = Parameters(MbgNbd(0.8, 40, 0.5, 2.5), GammaGamma(6.25, 3.74, 15.44), top_money=100.0)
    scores = MODEL(situations)
    for i, one in enumerate(situations):
        now = EPOCH + timedelta(days=one.today)
        predicted = predict(parameters, Histories.of([one.purchases]), now, 90)
        assert scores.p_churn[i] == pytest.approx(predicted.p_churn[0], rel=1e-12)
        assert scores.value[i] == pytest.approx(predicted.value[0], rel=1e-12)


def test_the_typical_spend_is_that_of_a_customer_of_whom_nothing_is_known() -> None:
    spends = GammaGamma(6.25, 3.74, 15.44)
    assert ByModel(MODEL.visits, spends, 30).typical_spend == pytest.approx(6.25 * 15.44 / 2.74)
