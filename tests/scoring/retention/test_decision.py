"""Decisions: by expected profit, never at a loss, and told with the figures they rest on."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from services.scoring.domain.retention.assignment import Assignment
from services.scoring.domain.retention.catalogue import NO_ACTION, Catalogue
from services.scoring.domain.retention.decision import AtStake, best, decide, expected_profit
from services.scoring.domain.retention.evidence import Evidence, Outcome
from services.scoring.domain.retention.reasons import reasons
from tests.scoring.retention.offers import (
    CALL,
    CATALOGUE,
    MAIL,
    VOUCHER,
    arms,
    catalogues,
    customers,
    money,
    outcomes,
    terms,
)

batches = st.lists(outcomes, max_size=60).map(Evidence.of)


@settings(deadline=None)
@given(st.lists(customers, max_size=8), batches, catalogues)
def test_profit_never_chooses_a_loss_nor_a_closed_action(
    asked: list[AtStake], evidence: Evidence, catalogue: Catalogue
) -> None:
    for customer, decision in zip(asked, decide(asked, terms(evidence, catalogue)), strict=True):
        assert decision.action == decision.best
        assert decision.action not in customer.closed
        if decision.action == NO_ACTION:
            assert decision.profit == 0
            assert all(option.profit <= 0 for option in decision.options)
        else:
            assert decision.profit > 0
            assert decision.profit == max(option.profit for option in decision.options)


@settings(deadline=None)
@given(batches, st.sampled_from(["new", "loyal"]), money, money)
def test_more_at_stake_never_makes_an_action_less_attractive(
    evidence: Evidence, stratum: str, one: float, other: float
) -> None:
    less, more = sorted((one, other))
    poor, rich = decide([AtStake("a", stratum, less), AtStake("a", stratum, more)], terms(evidence))
    for before, after in zip(poor.options, rich.options, strict=True):
        assert after.profit >= before.profit
    assert rich.profit >= poor.profit
    assert rich.action != NO_ACTION or poor.action == NO_ACTION


@settings(deadline=None)
@given(batches, money)
def test_one_customer_alone_and_among_others_is_decided_alike(evidence: Evidence, value: float) -> None:
    asked = [AtStake(f"c{i}", stratum, value * i) for i, stratum in enumerate(("new", "loyal", "slipping"))]
    assert decide(asked, terms(evidence)) == [decide([one], terms(evidence))[0] for one in asked]


def test_the_profit_of_an_action_is_its_formula() -> None:
    decision = decide([AtStake("a", "new", 1_000.0)], terms(margin=0.4))[0]
    assert [option.profit for option in decision.options] == pytest.approx(
        [0.02 * 400 - 4.0, 0.02 * 400 - 0.1 - 10.0 * 0.3, 0.02 * 400 - 0.05]
    )
    assert (decision.action, decision.at_stake) == ("mail", 400.0)


def test_before_evidence_risk_decides_nothing_only_value_and_cost() -> None:
    asked = [AtStake("a", stratum, 1_000.0) for stratum in ("new", "slipping")]
    calm, risky = decide(asked, terms())
    assert calm.options == risky.options


def test_evidence_turns_the_decision() -> None:
    customer = [AtStake("a", "slipping", 500.0)]
    assert decide(customer, terms())[0].action == "mail"
    evidence = arms("call", "slipping", (20_000, 14_000), (20_000, 12_000))
    decision = decide(customer, terms(evidence))[0]
    assert decision.action == "call"
    assert decision.profit == pytest.approx(0.1 * 200 - 4, abs=1.0)
    assert {option.action: option.source for option in decision.options} == {
        "call": "evidence",
        "voucher": "prior",
        "mail": "prior",
    }


def test_an_action_that_drives_customers_away_is_not_taken_however_much_is_at_stake() -> None:
    evidence = arms("mail", "loyal", (20_000, 14_000), (20_000, 15_000))
    catalogue = Catalogue((MAIL,))
    assert decide([AtStake("a", "loyal", 1e9)], terms(evidence, catalogue))[0].action == NO_ACTION


def test_a_model_that_has_proved_itself_takes_over() -> None:
    asked = [AtStake("a", "new", 100.0), AtStake("b", "new", 100.0)]
    first, second = decide(asked, terms(), uplift={"mail": np.array([0.3, -0.3])})
    assert (first.action, second.action) == ("mail", NO_ACTION)
    assert first.options[2].source == "model"
    assert second.options[2].p_persuade == 0


def test_a_shop_without_actions_does_nothing() -> None:
    decision = decide([AtStake("a", "new", 100.0)], terms(catalogue=Catalogue(())))[0]
    assert (decision.action, decision.profit, decision.options, decision.propensity) == (NO_ACTION, 0.0, (), 1.0)


def test_a_value_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        decide([AtStake("a", "new", float("nan"))], terms())


def test_groups_are_respected_and_propensities_are_the_frequencies_in_which_actions_come() -> None:
    assignment = Assignment("salt", control=0.1, exploration=0.2)
    asked = [AtStake(f"customer-{i}", "new", 1_000.0) for i in range(20_000)]
    decisions = decide(asked, terms(assignment=assignment))
    assert {one.action for one in decisions if one.group == "control"} == {NO_ACTION}
    assert {one.action for one in decisions if one.group == "decided"} == {"mail"}
    assert {one.action for one in decisions if one.group == "exploration"} == {NO_ACTION, "call", "voucher", "mail"}
    propensity = {one.action: one.propensity for one in decisions}
    assert propensity == pytest.approx({NO_ACTION: 0.15, "mail": 0.75, "call": 0.05, "voucher": 0.05})
    for action, times in Counter(one.action for one in decisions).items():
        assert times / len(asked) == pytest.approx(propensity[action], abs=0.015)


def test_many_customers_are_decided_as_arrays() -> None:
    value = np.linspace(0, 2_000, 1_000)
    profits = np.column_stack([expected_profit(np.full(1_000, 0.02), value, action) for action in (CALL, VOUCHER)])
    chosen = best(profits)
    assert (chosen[value * 0.02 <= 3.0999] == -1).all()
    assert (chosen[value * 0.02 > 3.1001] == 1).all()
    assert (best(np.empty((3, 0))) == -1).all()


def test_a_decision_is_told_with_what_was_assumed_and_what_is_known() -> None:
    evidence = arms("call", "slipping", (200, 140), (200, 120))
    decision = decide([AtStake("a", "slipping", 500.0)], terms(evidence))[0]
    told = reasons(decision, CATALOGUE.prior, "EUR")
    assert told[0] == f"mail: expected profit {decision.profit:.2f} EUR, the most of all."
    assert told[1] == (
        "mail: 2.0 % persuaded of 200.00 EUR at stake, at a cost of 0.05 EUR, is 3.95 EUR. "
        "The share is not measured yet (assumed: as weak as randomised mailings have been found to be)."
    )
    by_call = next(line for line in told if line.startswith("call"))
    assert "70.0 % of 200 stayed with it, 60.0 % of 200 without it" in by_call
    assert "Evidence decided 14." in by_call


def test_groups_and_absent_actions_are_told_too() -> None:
    customer = [AtStake("a", "new", 500.0)]
    control = decide(customer, terms(assignment=Assignment("salt", control=1.0, exploration=0.0)))[0]
    explored = decide(customer, terms(assignment=Assignment("salt", control=0.0, exploration=1.0)))[0]
    poor = decide([AtStake("a", "new", 0.0)], terms())[0]
    assert "left alone for good" in reasons(control, CATALOGUE.prior, "EUR")[0]
    assert reasons(explored, CATALOGUE.prior, "EUR")[0].startswith("Drawn at random")
    assert reasons(poor, CATALOGUE.prior, "EUR")[0].startswith("No action: none")


@settings(deadline=None)
@given(st.lists(outcomes, max_size=30))
def test_facts_in_another_order_give_the_same_decisions(batch: list[Outcome]) -> None:
    asked = [AtStake("a", "new", 700.0), AtStake("b", "slipping", 70.0)]
    assert decide(asked, terms(Evidence.of(batch))) == decide(asked, terms(Evidence.of(reversed(batch))))
