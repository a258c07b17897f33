"""The base's counts: the same after any history, and those that following each contract period by period would give."""

from collections import Counter
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from services.scoring.domain.contracts.facts import ContractFact, Contracts, Kind
from services.scoring.domain.contracts.hazards import DUNNING_PERIODS, Tables
from services.scoring.domain.contracts.periods import Period
from services.scoring.domain.contracts.population import Population, moves
from services.scoring.domain.purchases import day_of
from tests.scoring.contracts.lives import START, at, fact, facts

customers = st.lists(st.tuples(st.integers(0, 3), facts), max_size=40)
days = st.integers(-10, 800).map(lambda ahead: day_of(START) + ahead)


def of(base: list[Contracts], period: Period = Period.MONTH) -> Population:
    return Population(period).plus(moves(((Contracts(), contracts) for contracts in base), period))


def same(left: Population, right: Population) -> bool:
    return left.pack() == right.pack()


def alike(left: Tables, right: Tables) -> bool:
    pairs = ((left.active, right.active), (left.failing, right.failing))
    return all(np.array_equal(a.at_risk, b.at_risk) and np.array_equal(a.events, b.events) for a, b in pairs)


@settings(deadline=None)
@given(events=customers, data=st.data())
def test_any_order_of_facts_and_batches_gives_the_counts_of_the_final_states(
    events: list[tuple[int, ContractFact]], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(events))
    size = data.draw(st.integers(1, 10))
    states = dict.fromkeys(range(4), Contracts())
    population = Population()
    for begin in range(0, len(shuffled), size):
        changed = dict(states)
        for customer, told in shuffled[begin : begin + size]:
            changed[customer] = changed[customer].plus(Contracts.of([told]))
        population = population.plus(moves((states[c], changed[c]) for c in states if changed[c] != states[c]))
        states = changed
    final = {c: Contracts.of(told for customer, told in events if customer == c) for c in states}
    assert same(population, of(list(final.values())))
    assert same(Population.unpack(population.pack()), population)


@settings(deadline=None)
@given(st.lists(st.lists(facts, max_size=12), max_size=6), st.integers(0, 6), days)
def test_counts_of_two_halves_add_up(base: list[list[ContractFact]], cut: int, day: int) -> None:
    everyone = [Contracts.of(told) for told in base]
    left, right = of(everyone[:cut]), of(everyone[cut:])
    assert same(left.merged(right), of(everyone))
    assert alike(left.tables_at(day).plus(right.tables_at(day)), of(everyone).tables_at(day))


@settings(deadline=None, max_examples=100)
@given(st.lists(st.lists(facts, max_size=12), max_size=4), days, st.sampled_from(Period), st.none() | days)
def test_tables_are_those_of_following_each_contract_period_by_period(
    base: list[list[ContractFact]], day: int, period: Period, since: int | None
) -> None:
    everyone = [Contracts.of(told) for told in base]
    counted = followed(everyone, day, period, since)
    tables = of(everyone, period).tables_at(day, since)
    ways = (("left", "fate", "failed"), ("recovered", "lapsed", "cancelled"))
    for name, table, names in zip(("active", "failing"), (tables.active, tables.failing), ways, strict=True):
        for age in range(len(table.at_risk)):
            assert table.at_risk[age] == counted[name, "risk", age]
            assert tuple(table.events[age]) == tuple(counted[name, way, age] for way in names)
        assert table.at_risk.sum() == sum(n for key, n in counted.items() if key[:2] == (name, "risk"))


def followed(base: list[Contracts], day: int, period: Period, since: int | None) -> Counter[tuple[str, str, int]]:
    """Slowly, and in other words: what state each contract is in as a period begins, and as it ends."""
    counted: Counter[tuple[str, str, int]] = Counter()
    for contracts in base:
        for _, told in groupby(contracts.facts, lambda one: one.contract):
            for run in runs(list(told)):
                follow(run, day, period, since, counted)
    return counted


def runs(told: list[ContractFact]) -> list[list[ContractFact]]:
    found: list[list[ContractFact]] = []
    open_run = False
    for one in told:
        if open_run or one.kind is Kind.STARTED:
            if not open_run:
                found.append([])
            found[-1].append(one)
            open_run = one.cause is None
    return found


def follow(
    run: list[ContractFact], day: int, period: Period, since: int | None, counted: Counter[tuple[str, str, int]]
) -> None:
    start = day_of(run[0].at)
    by_age = {age: list(told) for age, told in groupby(run[1:], lambda one: int(period.age(start, day_of(one.at))))}
    state, failed_at = "paid", 0
    for age in range(int(period.age(start, day))):
        seen = since is None or age >= int(period.first_age_since(start, since))
        began, state, failed_within = state, *through(state, by_age.get(age, []))
        if began == "paid":
            counted["active", "risk", age] += seen
            failed_at = age if failed_within else failed_at
            if failed_within or state in {"left", "fate"}:
                counted["active", "failed" if failed_within else state, age] += seen
        if began == "missing" or failed_within:
            since_failure = min(age - failed_at, DUNNING_PERIODS - 1)
            counted["failing", "risk", since_failure] += seen
            if state != "missing":
                way = {"paid": "recovered", "fate": "lapsed", "left": "cancelled"}[state]
                counted["failing", way, since_failure] += seen
        if state in {"left", "fate"}:
            return


def through(state: str, told: list[ContractFact]) -> tuple[str, bool]:
    failed_within = False
    for one in told:
        if one.cause is not None:
            return ("left" if one.cause == "voluntary" else "fate"), failed_within
        if one.kind is Kind.PAYMENT_FAILED and state == "paid":
            state, failed_within = "missing", True
        elif one.kind is Kind.PAYMENT_RECOVERED and state == "missing":
            state = "paid"
    return state, failed_within


@settings(deadline=None, max_examples=50)
@given(st.lists(facts, max_size=12), st.lists(facts, max_size=12))
def test_two_customers_found_to_be_one_and_two_again_are_counted_as_such(
    left: list[ContractFact], right: list[ContractFact]
) -> None:
    a, b = Contracts.of(left), Contracts.of(right)
    both, apart = a.plus(b), of([a, b])
    merged = apart.plus(moves([(a, both), (b, Contracts())]))
    assert same(merged, of([both]))
    assert same(merged.plus(moves([(both, a), (Contracts(), b)])), apart)


def test_whoever_is_taken_away_leaves_no_trace() -> None:
    contracts = Contracts.of([fact(Kind.STARTED, "2021-03-01"), fact(Kind.PAYMENT_FAILED, "2021-06-01")])
    assert same(of([contracts]).plus(moves([(contracts, Contracts())])), Population())
    assert of([contracts]).contracts == 1


def test_a_month_is_a_calendar_month_and_a_year_has_twelve() -> None:
    for year in range(2019, 2025):
        assert Period.MONTH.age(day_of(at(f"{year}-03-01")), day_of(at(f"{year + 1}-03-01"))) == 12
    end_of_january = day_of(at("2021-01-31"))
    days = [day_of(at(day)) for day in ("2021-01-30", "2021-02-28", "2021-03-01", "2021-03-30", "2021-03-31")]
    assert Period.MONTH.age(end_of_january, days).tolist() == [-1, 0, 1, 1, 2]
    assert Period.WEEK.age(end_of_january, [end_of_january + 6, end_of_january + 7]).tolist() == [0, 1]


@given(st.integers(-25_000, 40_000), st.lists(st.integers(-25_000, 40_000), min_size=1), st.sampled_from(Period))
def test_one_contract_has_the_age_that_many_have(start: int, when: list[int], period: Period) -> None:
    assert [period.age_of(start, day) for day in when] == period.age(start, when).tolist()
    for day in when:
        first = int(period.first_age_since(start, day))
        assert period.age_of(start, day) <= first <= max(period.age_of(start, day) + 1, 0)
        assert first == 0 or period.age_of(start, day - 1) == first - 1


def test_who_ends_in_the_present_month_is_counted_when_it_is_over() -> None:
    population = of([Contracts.of([fact(Kind.STARTED, "2021-03-01"), fact(Kind.CANCELLED, "2021-06-02")])])
    assert population.tables_at(day_of(at("2021-06-20"))).active.events.sum() == 0
    later = population.tables_at(day_of(at("2021-07-01"))).active
    assert later.at_risk.tolist() == [1, 1, 1, 1]
    assert later.events[:, 0].tolist() == [0, 0, 0, 1]


def test_contracts_older_than_the_books_count_from_the_books_on() -> None:
    population = of([Contracts.of([fact(Kind.STARTED, "2020-03-01"), fact(Kind.CANCELLED, "2021-06-02")])])
    table = population.tables_at(day_of(at("2022-01-01")), since=day_of(at("2021-04-01"))).active
    assert table.at_risk.nonzero()[0].tolist() == [13, 14, 15]
    assert table.events[15, 0] == 1


@pytest.mark.parametrize("day", ["1900-01-01", "1969-12-31", "2026-02-28"])
def test_contracts_of_any_age_are_counted(day: str) -> None:
    contracts = Contracts.of([fact(Kind.STARTED, day), fact(Kind.PAYMENT_FAILED, day)])
    tables = of([contracts], Period.WEEK).tables_at(day_of(at("2026-06-01")))
    assert tables.active.at_risk[0] == tables.active.events[0, 2] == tables.failing.at_risk[0] == 1
