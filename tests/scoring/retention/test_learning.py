"""Retention as a whole: a company that knows nothing learns from its own exploration whom its actions persuade."""

from dataclasses import replace
from functools import reduce

import numpy as np
import pytest

from services.scoring.domain.fitting import Floats
from services.scoring.domain.retention.assignment import Assignment
from services.scoring.domain.retention.catalogue import NO_ACTION, Action, Catalogue
from services.scoring.domain.retention.decision import AtStake, Decision, decide
from services.scoring.domain.retention.evidence import Counts, Evidence, Outcome
from services.scoring.domain.retention.learning import log_of, proven, taught
from services.scoring.domain.uplift.bases import Linear
from services.scoring.domain.uplift.choice import choose
from services.scoring.domain.uplift.measuring import Effort, Recipe
from services.scoring.domain.uplift.off_policy import snips
from tests.scoring.retention.offers import terms
from tests.scoring.uplift.trials import chosen, made

SHOP = Catalogue((Action("call", 6.0), Action("voucher", 0.1, offer_cost=8.0, p_accept=0.5)))
STAY = {"loyal": 0.9, "leaving": 0.4}
PERSUADED = {("call", "leaving"): 0.15, ("voucher", "leaving"): 0.02, ("call", "loyal"): 0.0, ("voucher", "loyal"): 0.0}
"""In this world calls keep leavers; vouchers please everybody and keep hardly anybody."""
CODES = {NO_ACTION: 0, "call": 1, "voucher": 2}
ASSIGNMENT = Assignment("world", control=0.1, exploration=0.3)
CUSTOMERS = [AtStake(f"customer-{i}", ("loyal", "leaving")[i % 2], 500.0) for i in range(20_000)]


def lived(decisions: list[Decision], seed: int) -> list[bool]:
    """Who stayed."""
    rng = np.random.default_rng(seed)
    chance = [STAY[one.stratum] + PERSUADED.get((one.action, one.stratum), 0.0) for one in decisions]
    stayed: list[bool] = (rng.random(len(decisions)) < chance).tolist()
    return stayed


def a_month(evidence: Evidence, occasion: str, seed: int) -> tuple[list[Decision], list[bool]]:
    asked = replace(terms(evidence, SHOP, ASSIGNMENT, margin=0.4), occasion=occasion)
    decisions = decide(CUSTOMERS, asked)
    return decisions, lived(decisions, seed)


def test_exploration_teaches_which_action_keeps_whom() -> None:
    evidence = Evidence()
    for month in range(2):
        decisions, stayed = a_month(evidence, f"month {month}", month)
        facts = [fact for one, stays in zip(decisions, stayed, strict=True) for fact in taught(one, stayed=stays)]
        evidence = evidence.plus(Evidence.of(facts))
    decisions, _ = a_month(evidence, "month 2", 2)
    by_profit = {(one.stratum, one.best) for one in decisions}
    assert by_profit == {("loyal", NO_ACTION), ("leaving", "call")}
    call = next(one for one in decisions if one.stratum == "leaving").options[0]
    assert call.p_persuade == pytest.approx(0.15, abs=0.03)


def test_before_it_has_learnt_it_does_what_the_prior_says_and_its_own_log_shows_what_would_have_been_better() -> None:
    decisions, stayed = a_month(Evidence(), "month 0", 0)
    assert {one.best for one in decisions} == {NO_ACTION}
    cost = {action.name: action.expected_cost for action in SHOP} | {NO_ACTION: 0.0}
    kept = np.array(stayed, dtype=np.float64) * 200.0
    log = log_of(decisions, kept - np.array([cost[one.action] for one in decisions]), CODES)
    nothing = snips(log, _always(NO_ACTION)).reward
    calls = snips(log, _where_leaving("call")).reward
    assert calls.low > nothing.high
    assert calls.estimate - nothing.estimate == pytest.approx((0.15 * 200 - 6) / 2, abs=3.0)


def _always(action: str) -> Floats:
    policy: Floats = np.eye(3)[np.full(len(CUSTOMERS), CODES[action])]
    return policy


def _where_leaving(action: str) -> Floats:
    policy: Floats = np.eye(3)[[CODES[action] if one.stratum == "leaving" else 0 for one in CUSTOMERS]]
    return policy


def test_only_random_decisions_teach() -> None:
    decisions, _ = a_month(Evidence(), "month 0", 0)
    for one in decisions[:500]:
        facts = taught(one, stayed=True)
        assert bool(facts) == (one.group == "exploration")
        assert all(fact.treated == (one.action != NO_ACTION) for fact in facts)


def test_arms_are_alike_though_some_customers_have_fewer_open_actions() -> None:
    """Leavers may not be called; within each action both arms have the same customers all the same."""
    asked = [replace(one, closed=frozenset({"call"} if i % 4 == 1 else ())) for i, one in enumerate(CUSTOMERS)]
    pooled = [replace(one, stratum="all") for one in asked]
    decisions = decide(pooled, replace(terms(None, SHOP, Assignment("world", 0.3, 0.6)), occasion="x"))
    facts = [fact._replace(stayed=i % 4 == 1) for i, one in enumerate(decisions) for fact in taught(one, stayed=True)]
    counts = reduce(Counts.plus, (counts for _, counts in Evidence.of(facts).by_stratum("voucher")))
    treated, control = counts.treated_stayed / counts.treated, counts.control_stayed / counts.control
    assert treated == pytest.approx(control, abs=0.03)
    assert treated > 0.28
    assert not [fact for fact in facts if fact.action == "call" and fact.stayed]


def test_a_model_speaks_only_if_it_has_proved_itself() -> None:
    recipes, effort = (Recipe("T", Linear()),), Effort(divisions=1, parts=3, draws=60)
    choices = {
        "call": chosen(choose(made(5_000, 1, strength=0.3).trial, 0, recipes, effort)),
        "voucher": chosen(choose(made(5_000, 4, strength=0.0).trial, 0, recipes, effort)),
    }
    features = made(10, 3).trial.features
    speaking = proven(choices, features)
    assert list(speaking) == ["call"]
    assert speaking["call"] == pytest.approx(choices["call"].uplift(features))


def test_a_fact_names_the_stratum_of_the_decision() -> None:
    decisions, _ = a_month(Evidence(), "month 0", 0)
    explored = next(one for one in decisions if one.group == "exploration" and one.action != NO_ACTION)
    assert taught(explored, stayed=False) == [Outcome(explored.action, explored.stratum, True, False)]
