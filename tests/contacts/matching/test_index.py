"""The blocking index: what it finds after any adding and removing, and what too frequent keys cost."""

import random

import numpy as np

from services.contacts.domain.matching.blocking import keys, lacks_a_name, nameless_keys
from services.contacts.domain.matching.index import FREQUENT, Index
from tests.contacts.matching.kinds import PERSON, table_of
from tests.contacts.matching.people import people


def test_it_finds_the_same_in_any_order_of_adding_removing_and_compacting() -> None:
    dice = random.Random(5)
    index, held = Index(), dict[int, set[int]]()
    for row in range(600):
        held[row] = {dice.randrange(120) for _ in range(3)}
        index.add(row, held[row])
        if dice.random() < 0.3:
            gone = dice.choice(list(held))
            index.remove(gone)
            del held[gone]
        if dice.random() < 0.02:
            index.compact()
    for key in range(120):
        assert set(index.candidates([key]).tolist()) == {row for row, of in held.items() if key in of}
    wanted = {(a, b) for a in held for b in held if a < b and held[a] & held[b]}
    (left, right), _ = index.pairs(10**9)
    assert set(zip(left.tolist(), right.tolist(), strict=True)) == wanted


def test_a_key_of_everybody_is_not_followed_and_two_of_them_are() -> None:
    index = Index()
    for row in range(20 * FREQUENT):
        index.add(row, [1, 2] if row % 1000 == 0 else [1 + row % 2])
    index.compact()
    assert not len(index.candidates([1]))
    assert index.candidates([1, 2]).tolist() == [0, 1000, 2000, 3000]
    (left, right), _ = index.pairs(1_000)
    assert set(left.tolist()) | set(right.tolist()) == {0, 1000, 2000, 3000}


def test_pairs_keep_to_the_budget() -> None:
    index = Index()
    index.replace(np.repeat(np.arange(100), 100), np.arange(10_000, dtype=np.int32))
    assert len(index.pairs(50 * 4_950)[0][0]) == 0, "all keys are alike large, and all of them are too much"
    assert len(index.pairs(100 * 4_950)[0][0]) == 100 * 4_950


def test_nothing_is_no_problem() -> None:
    assert Index().pairs(10)[1] == 0
    assert not len(Index().candidates([3]))


def test_almost_all_duplicates_share_a_key() -> None:
    made = people(500, seed=4)
    table = table_of(PERSON, made.records)
    of_row = [set(keys(PERSON, table.row(row))) for row in range(len(table))]
    by_label: dict[str, list[int]] = {}
    for row, label in enumerate(made.truth):
        by_label.setdefault(label, []).append(row)
    pairs = [(a, b) for rows in by_label.values() for a in rows for b in rows if a < b]
    assert sum(bool(of_row[a] & of_row[b]) for a, b in pairs) >= 0.97 * len(pairs)
    assert max(map(len, of_row)) < 40


def test_a_record_without_a_name_shares_keys_with_one_of_the_same_place_and_day() -> None:
    table = table_of(PERSON, [
        {"given": "ann", "family": "lee", "birth": "1950-04-03", "city": "York", "postcode": "YO1 7AB"},
        {"birth": "1950-09-09", "city": "Yorck"}, {"postcode": "yo17ab"}, {"birth": "1950-09-09", "city": "Leeds"},
    ])  # fmt: skip
    of_row = [set(nameless_keys(PERSON, table.row(row))) for row in range(4)]
    assert [bool(of_row[0] & other) for other in of_row[1:]] == [True, True, False]
    assert [lacks_a_name(PERSON, table.row(row)) for row in range(4)] == [False, True, True, True]
