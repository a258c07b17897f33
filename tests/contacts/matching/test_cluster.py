"""Groups hold together by all their pairs, not by one."""

import numpy as np

from services.contacts.domain.matching.cluster import clusters, one_to_one, pairs_within
from services.contacts.domain.matching.evidence import Floats
from services.contacts.domain.matching.table import Ints


def found(
    pairs: dict[tuple[int, int], float], otherwise: float, merged: float = 4.0, say: float = 1.0
) -> list[list[int]]:
    """`say` is that of the pairs that are not named."""

    def score(left: Ints, right: Ints) -> tuple[Floats, Floats]:
        asked = list(zip(left.tolist(), right.tolist(), strict=True))
        odds = np.array([pairs.get(pair, otherwise) for pair in asked])
        return odds, np.array([1.0 if pair in pairs else say for pair in asked])

    sure = {pair: odds for pair, odds in pairs.items() if odds >= merged}
    left, right = (np.array([pair[side] for pair in sure], np.int64) for side in (0, 1))
    return clusters(left, right, np.array(list(sure.values())), score, needed=0.0)


def test_a_weak_bridge_between_two_families_holds_nothing() -> None:
    one = {(a, b): 12.0 for a in range(4) for b in range(4) if a < b}
    other = {(a, b): 12.0 for a in range(4, 8) for b in range(4, 8) if a < b}
    assert found({**one, **other, (3, 4): 5.0}, otherwise=-9.0) == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_a_record_that_half_agrees_with_all_joins() -> None:
    assert found({(0, 1): 12.0, (1, 2): 12.0, (0, 2): 1.0}, otherwise=-9.0) == [[0, 1, 2]]


def test_a_chain_is_cut_where_its_ends_contradict() -> None:
    assert found({(0, 1): 12.0, (1, 2): 6.0, (0, 2): -15.0}, otherwise=-9.0) == [[0, 1]]


def test_what_two_records_lack_is_no_evidence_against_a_group() -> None:
    told = {(0, 1): 12.0, (1, 2): 8.0}
    assert found(told, otherwise=-11.0) == [[0, 1]]
    assert found(told, otherwise=-11.0, say=0.1) == [[0, 1, 2]]


def test_a_large_group_is_joined_without_looking_at_all_its_pairs() -> None:
    asked = 0

    def score(left: Ints, right: Ints) -> tuple[Floats, Floats]:
        nonlocal asked
        asked += len(left)
        return np.full(len(left), 9.0), np.ones(len(left))

    rows = np.arange(400)
    groups = clusters(rows[:-1], rows[1:], np.full(399, 9.0), score, needed=0.0)
    assert groups == [rows.tolist()]
    assert asked < 400 * 399 / 2 / 4
    assert pairs_within(groups) == 400 * 399 / 2


def test_no_pairs_no_clusters() -> None:
    assert found({}, 0.0) == []


def test_between_two_files_each_record_has_one_partner_the_surest() -> None:
    left, right = np.array([0, 0, 1, 2]), np.array([10, 11, 10, 12])
    assert one_to_one(left, right, np.array([5.0, 9.0, 7.0, 1.0])).tolist() == [1, 2, 3]
