"""The table of RFM segments: every code is in it once, and the names mean what marketers mean by them."""

from itertools import product

import numpy as np
import pytest

from services.scoring.domain.rfm import RULES, SEGMENTS, named

ALL = np.array(list(product(range(1, 6), repeat=3)), dtype=np.int8)


def name(recency: int, frequency: int, money: int) -> str:
    return SEGMENTS[int(named(np.array([[recency, frequency, money]], dtype=np.int8))[0])]


@pytest.mark.parametrize("code", ALL.tolist())
def test_each_of_the_125_codes_is_in_exactly_one_row_of_the_table(code: list[int]) -> None:
    rows = [
        row[0] for row in RULES if all(first <= one <= last for one, (first, last) in zip(code, row[1:], strict=True))
    ]
    assert rows == [name(*code)]


def test_each_of_the_eleven_names_has_codes() -> None:
    assert len(SEGMENTS) == 11
    assert sorted(set(named(ALL).tolist())) == list(range(11))


@pytest.mark.parametrize(
    ("code", "segment"),
    [
        ((5, 5, 5), "champions"),
        ((5, 5, 1), "loyal"),
        ((3, 4, 3), "loyal"),
        ((4, 2, 3), "potential-loyalists"),
        ((5, 1, 5), "new"),
        ((4, 1, 1), "promising"),
        ((3, 3, 3), "need-attention"),
        ((3, 1, 5), "need-attention"),
        ((3, 2, 2), "about-to-sleep"),
        ((2, 3, 5), "at-risk"),
        ((1, 5, 2), "at-risk"),
        ((1, 5, 5), "cannot-lose-them"),
        ((2, 1, 1), "hibernating"),
        ((1, 1, 5), "hibernating"),
        ((1, 1, 1), "lost"),
    ],
)
def test_codes_have_the_names_that_marketers_give_them(code: tuple[int, int, int], segment: str) -> None:
    assert name(*code) == segment


def test_a_more_recent_purchase_never_makes_a_customer_look_more_lost() -> None:
    gone = {"at-risk", "cannot-lose-them", "hibernating", "lost"}
    for recency, frequency, money in ALL.tolist():
        assert (name(recency, frequency, money) in gone) == (recency <= 2)
