"""Hazards and what follows from them: incidences that add up with survival to 1, and the published ones of real data."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from services.scoring.domain.contracts.facts import Contracts, Kind
from services.scoring.domain.contracts.forecast import PAID, Standings, churn_within, outlook
from services.scoring.domain.contracts.hazards import DUNNING_PERIODS, Hazards, Table, Tables, steadied
from services.scoring.domain.contracts.periods import Period
from services.scoring.domain.contracts.population import Population, moves
from services.scoring.domain.contracts.spells import running
from services.scoring.domain.fitting import Doubt, Floats
from services.scoring.domain.purchases import day_of
from tests.scoring import telco
from tests.scoring.contracts.lives import START, at, fact, simulated

NO_FAILURES = np.zeros((1, 3))
counts = st.lists(st.tuples(*[st.integers(0, 50)] * 4), min_size=1, max_size=30)


def table_of(rows: list[tuple[int, ...]]) -> Table:
    """Any table: events of three ways, and some who stay."""
    numbers = np.array(rows, dtype=float)
    return Table(numbers.sum(axis=1), numbers[:, :3])


def telco_table() -> Table:
    """With a third way out, a failing payment, that the data do not know of."""
    return Table.of_lives(telco.ages(), telco.ways(), 3)


@given(counts, counts, st.integers(0, 60), st.integers(-1, 20), st.integers(0, 80))
def test_incidences_add_up_with_survival_to_one(
    active: list[tuple[int, ...]], failing: list[tuple[int, ...]], age: int, missing: int, periods: int
) -> None:
    tables = Tables(table_of(active), table_of(failing[:DUNNING_PERIODS]))
    for hazards in (Hazards.raw(tables), Hazards.fitted(tables, toward=Hazards.raw(tables))):
        assert isinstance(hazards, Hazards)
        seen = outlook(hazards, Standings(np.array([age]), np.array([missing])), periods)
        total = seen.voluntary + seen.involuntary + seen.survival
        assert total.shape == (1, periods + 1)
        assert np.abs(total - 1.0).max() < 1e-12
        for incidence in (seen.voluntary, seen.involuntary, -seen.survival):
            assert np.diff(incidence).min(initial=0.0) >= -1e-15
        assert seen.survival.min() >= -1e-15


@given(counts)
def test_steadied_hazards_are_a_share_of_those_at_risk(rows: list[tuple[int, ...]]) -> None:
    hazards, strength = steadied(table_of(rows))
    assert hazards.min() > 0
    assert hazards.sum(axis=1).max() < 1
    assert strength > 0


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 5), st.integers(-1, 5), st.integers(1, 12))
def test_the_outlook_is_the_power_of_the_chains_matrix(seed: int, age: int, missing: int, periods: int) -> None:
    random = np.random.default_rng(seed)
    hazards = Hazards(random.dirichlet(np.ones(4), 6)[:, :3], random.dirichlet(np.ones(4), 4)[:, :3])
    state = np.zeros(7)  # paid, missing for 0, 1, 2 and 3 or more periods, left, fate
    state[0 if missing == PAID else 1 + min(missing, 3)] = 1.0
    for step in range(periods):
        state = state @ first_half(hazards.active[min(age + step, 5)]) @ second_half(hazards.failing)
    seen = outlook(hazards, Standings(np.array([age]), np.array([missing])), periods)
    columns = (seen.paid, seen.missing, seen.voluntary, seen.involuntary)
    assert [float(column[0, -1]) for column in columns] == pytest.approx(
        [state[0], state[1:5].sum(), state[5], state[6]], abs=1e-12
    )


def first_half(ways: Floats) -> Floats:
    matrix = np.eye(7)
    left, fate, failed = ways
    matrix[0, [0, 1, 5, 6]] = 1 - ways.sum(), failed, left, fate
    return matrix


def second_half(failing: Floats) -> Floats:
    matrix = np.eye(7)
    for since, (recover, lapse, leave) in enumerate(failing):
        matrix[1 + since] = 0.0
        matrix[1 + since, min(since + 2, 4)] = 1 - recover - lapse - leave
        matrix[1 + since, [0, 5, 6]] = recover, leave, lapse
    return matrix


def test_telco_has_the_reference_incidences_of_six_years() -> None:
    table = telco_table()
    assert table.events.sum(axis=0).tolist() == [1810, 59, 0]
    seen = outlook(Hazards(table.raw(), NO_FAILURES), Standings(np.array([0]), np.array([PAID])), 73)
    assert float(seen.voluntary[0, -1]) == pytest.approx(0.3951, abs=5e-5)
    assert float(seen.involuntary[0, -1]) == pytest.approx(0.0121, abs=5e-5)
    assert float(seen.survival[0, -1]) == pytest.approx(0.5928, abs=5e-5)


def test_telco_incidences_are_the_sums_of_hazards_times_survival() -> None:
    hazards = telco_table().raw()
    seen = outlook(Hazards(hazards, NO_FAILURES), Standings(np.array([0]), np.array([PAID])), 73)
    survival, voluntary = 1.0, 0.0
    for age, (left, fate, _) in enumerate(hazards):
        voluntary += survival * left
        survival *= 1.0 - left - fate
        assert float(seen.voluntary[0, age + 1]) == pytest.approx(voluntary, abs=1e-12)
        assert float(seen.survival[0, age + 1]) == pytest.approx(survival, abs=1e-12)


def test_steadying_leaves_a_large_base_as_it_is() -> None:
    fitted = Hazards.fitted(Tables(telco_table(), Table(np.zeros(1), np.zeros((1, 3)))))
    assert isinstance(fitted, Hazards)
    seen = outlook(fitted, Standings(np.array([0]), np.array([PAID])), 73)
    assert float(seen.voluntary[0, -1]) == pytest.approx(0.3951, abs=0.01)
    assert float(seen.involuntary[0, -1]) == pytest.approx(0.0121, abs=0.003)


def test_steadied_hazards_foretell_other_customers_better_than_plain_shares() -> None:
    random = np.random.default_rng(4)
    ages, ways = telco.ages(), telco.ways()
    gains = []
    for _ in range(5):
        drawn = random.permutation(len(ages))
        few, others = drawn[:400], drawn[400:]
        learnt, truth = (Table.of_lives(ages[rows], ways[rows], 3).padded(73) for rows in (few, others))
        gains.append(foretold(truth, steadied(learnt)[0]) - foretold(truth, learnt.raw()))
    assert min(gains) > 0


def foretold(truth: Table, hazards: Floats) -> float:
    """Mean log-likelihood of what came to others, surprises counting at most as one in a million."""
    stayed = truth.at_risk - truth.events.sum(axis=1)
    chances = np.column_stack([hazards, 1.0 - hazards.sum(axis=1)]).clip(1e-6)
    return float((np.column_stack([truth.events, stayed]) * np.log(chances)).sum() / truth.at_risk.sum())


def test_a_segment_of_a_few_leans_on_the_whole_base() -> None:
    whole = Hazards(telco_table().raw(), NO_FAILURES)
    nobody_left = Table(np.array([8.0, 8.0]), np.zeros((2, 3)))
    segment = Hazards.fitted(Tables(nobody_left, Table(np.zeros(1), np.zeros((1, 3)))), toward=whole)
    assert isinstance(segment, Hazards)
    assert segment.active[2:].tolist() == whole.active[2:].tolist()
    assert (segment.active[1] <= whole.active[1]).all()
    assert segment.active[1, 0] > 0.5 * whole.active[1, 0]


def test_too_few_endings_are_a_doubt() -> None:
    nobody = Table(np.array([100.0, 90.0]), np.zeros((2, 3)))
    assert Hazards.fitted(Tables(nobody, nobody)) is Doubt.TOO_FEW
    assert Hazards.fitted(Population().tables_at(20_000)) is Doubt.TOO_FEW


def test_a_base_that_lives_by_known_hazards_gives_them_back() -> None:
    active = np.column_stack([np.linspace(0.05, 0.02, 30), np.full(30, 0.004), np.full(30, 0.06)])
    failing = np.array([[0.5, 0.02, 0.05], [0.3, 0.2, 0.05], [0.1, 0.5, 0.05], [0.1, 0.5, 0.05]])
    base = simulated(Hazards(active, failing), contracts=2_500, weeks=30, seed=9)
    rows = moves(((Contracts(), contracts) for contracts in base), Period.WEEK)
    tables = Population(Period.WEEK).plus(rows).tables_at(day_of(START))
    for table, truth in ((tables.active, active), (tables.failing, failing)):
        true = truth[np.minimum(np.arange(len(table.at_risk)), len(truth) - 1)]
        expected = table.at_risk @ true
        assert np.abs(table.events.sum(axis=0) - expected).max() < 4 * np.sqrt(expected.max())
        surprise = (table.events - table.at_risk[:, None] * true) / np.sqrt(table.at_risk[:, None] * true + 1e-9)
        assert np.abs(surprise[table.at_risk > 200]).max() < 4.5


def test_a_missing_payment_raises_the_risk_and_is_no_end() -> None:
    active, failing = np.array([[0.02, 0.001, 0.05]]), np.array([[0.6, 0.1, 0.05], [0.4, 0.3, 0.05]])
    standings = Standings(np.array([5, 5, 5]), np.array([PAID, 0, 1]))
    seen = outlook(Hazards(active, failing), standings, 6)
    assert seen.survival[:, 0].tolist() == [1, 1, 1]
    assert seen.missing[:, 0].tolist() == [0, 1, 1]
    assert np.all(np.diff(seen.involuntary[:, -1]) > 0)
    assert seen.survival[1, -1] > 0.5


def test_running_contracts_are_forecast_from_their_age_and_standing() -> None:
    contracts = Contracts.of(
        [
            fact(Kind.STARTED, "2021-03-01", contract="a"),
            fact(Kind.PAYMENT_FAILED, "2021-05-20", contract="a"),
            fact(Kind.STARTED, "2021-06-15", contract="b"),
        ]
    )
    day = at("2021-07-20")
    standings = Standings.of(list(running(contracts, day)), day_of(day))
    assert standings.age.tolist() == [4, 1]
    assert standings.failing.tolist() == [2, PAID]


def test_many_customers_have_the_outlook_each_has_alone() -> None:
    random = np.random.default_rng(1)
    hazards = Hazards(random.dirichlet(np.ones(4), 24)[:, :3], random.dirichlet(np.ones(4), 6)[:, :3])
    standings = Standings(random.integers(0, 40, 50), random.integers(-1, 9, 50))
    together = outlook(hazards, standings, 12)
    by_choice, by_fate = churn_within(hazards, standings, 12)
    assert by_choice.tolist() == together.voluntary[:, -1].tolist()
    assert by_fate.tolist() == together.involuntary[:, -1].tolist()
    for one in range(50):
        alone = outlook(hazards, Standings(standings.age[[one]], standings.failing[[one]]), 12)
        assert together.voluntary[one].tolist() == alone.voluntary[0].tolist()
