"""Facts of contracts: the same state whatever the order, the repetitions, or whose customers turn out to be one."""

from datetime import datetime

import pytest
from hypothesis import given, strategies as st

from services.scoring.domain.contracts.facts import Cause, ContractFact, Contracts, Kind
from services.scoring.domain.contracts.spells import Episode, running, spells_of
from tests.scoring.contracts.lives import at, fact, facts, moments


@given(batch=st.lists(facts, max_size=30), data=st.data())
def test_any_order_any_split_and_any_repetition_give_the_state_of_one_batch(
    batch: list[ContractFact], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(batch), max_size=10)) if batch else []
    shuffled = data.draw(st.permutations(batch + again))
    cut = data.draw(st.integers(0, len(shuffled)))
    state = Contracts.of(shuffled[:cut]).plus(Contracts.of(shuffled[cut:]))
    assert state == Contracts.of(batch)
    assert spells_of(state) == spells_of(Contracts.of(batch))


@given(st.lists(facts, max_size=30), st.lists(facts, max_size=30))
def test_two_customers_who_are_one_have_the_contracts_of_one(
    left: list[ContractFact], right: list[ContractFact]
) -> None:
    merged = Contracts.of(left).plus(Contracts.of(right))
    assert merged == Contracts.of(right).plus(Contracts.of(left)) == Contracts.of(left + right)
    assert merged.plus(Contracts.of(left)) == merged


@given(st.lists(facts, max_size=30))
def test_packed_and_unpacked_is_the_same(batch: list[ContractFact]) -> None:
    contracts = Contracts.of(batch)
    assert Contracts.unpack(contracts.pack()) == contracts


@given(st.lists(facts, max_size=30), moments)
def test_the_past_is_what_had_happened_by_then(batch: list[ContractFact], moment: datetime) -> None:
    by_id = Contracts.of(batch)
    assert by_id.until(moment) == Contracts.of(one for one in by_id.facts if one.at <= moment)
    assert all(spell.started_at <= moment and spell.ended_at is None for spell in running(by_id, moment))


@given(st.lists(facts, max_size=30))
def test_runs_of_a_contract_follow_each_other_and_their_episodes_lie_within(batch: list[ContractFact]) -> None:
    for spell in spells_of(Contracts.of(batch)):
        assert spell.ended_at is None or spell.started_at <= spell.ended_at
        assert (spell.ended_at is None) == (spell.cause is None)
        for episode in spell.episodes:
            assert episode.failed_at >= spell.started_at
            assert episode.until is None or episode.failed_at <= episode.until
        assert all(episode.until is not None for episode in spell.episodes[:-1])


def test_a_contract_is_read_from_its_start_to_its_end() -> None:
    (spell,) = spells_of(
        Contracts.of(
            [
                fact(Kind.CANCELLED, "2022-05-10", reason="price"),
                fact(Kind.RENEWED, "2022-03-01"),
                fact(Kind.STARTED, "2021-03-01"),
                fact(Kind.PAYMENT_RECOVERED, "2021-06-20"),
                fact(Kind.PAYMENT_FAILED, "2021-06-01"),
                fact(Kind.PAYMENT_FAILED, "2021-06-08"),
            ]
        )
    )
    assert (spell.renewals, spell.renewed_at, spell.ended_at) == (1, at("2022-03-01"), at("2022-05-10"))
    assert spell.episodes == (Episode(at("2021-06-01"), at("2021-06-20"), recovered=True),)
    assert (spell.cause, spell.reason) == (Cause.VOLUNTARY, "price")


@pytest.mark.parametrize(
    ("kind", "reason", "cause"),
    [
        (Kind.CANCELLED, "", Cause.VOLUNTARY),
        (Kind.CANCELLED, "price", Cause.VOLUNTARY),
        (Kind.CANCELLED, "Moved", Cause.INVOLUNTARY),
        (Kind.CANCELLED, "non-payment", Cause.INVOLUNTARY),
        (Kind.WENT_TO_COMPETITOR, "moved", Cause.VOLUNTARY),
        (Kind.MOVED, "", Cause.INVOLUNTARY),
        (Kind.DIED, "", Cause.INVOLUNTARY),
        (Kind.LAPSED, "", Cause.INVOLUNTARY),
        (Kind.PAYMENT_FAILED, "", None),
    ],
)
def test_leaving_by_choice_is_told_from_fate(kind: Kind, reason: str, cause: Cause | None) -> None:
    assert fact(kind, "2021-06-01", reason=reason).cause is cause


def test_a_failed_payment_ends_no_contract() -> None:
    contracts = Contracts.of([fact(Kind.STARTED, "2021-03-01"), fact(Kind.PAYMENT_FAILED, "2021-06-01")])
    (spell,) = running(contracts, at("2022-06-01"))
    assert spell.failing_since == at("2021-06-01")


def test_a_contract_without_its_start_waits_for_it() -> None:
    ended = Contracts.of([fact(Kind.CANCELLED, "2021-06-01")])
    assert spells_of(ended) == ()
    (spell,) = spells_of(ended.plus(Contracts.of([fact(Kind.STARTED, "2021-03-01")])))
    assert spell.ended_at == at("2021-06-01")


def test_whoever_comes_back_begins_anew() -> None:
    first, second = spells_of(
        Contracts.of(
            [
                fact(Kind.STARTED, "2021-03-01"),
                fact(Kind.WENT_TO_COMPETITOR, "2021-06-01"),
                fact(Kind.RENEWED, "2021-07-01"),
                fact(Kind.STARTED, "2021-09-01"),
            ]
        )
    )
    assert (first.reason, first.renewals) == ("went_to_competitor", 0)
    assert (second.started_at, second.ended_at) == (at("2021-09-01"), None)
