"""The judgement of the bench of scores: medians, multiples, and that all have done the same work."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.bench.scores import SAME, Failed, require_same, table


def run(expected: float = 1_000.0, **seconds: float) -> dict[str, Any]:
    return {"expected": expected} | {f"{work.replace('_', ' ')} s": value for work, value in seconds.items()}


def test_a_line_for_each_work_has_medians_and_the_others_as_multiples_of_ours() -> None:
    found = {
        "rapport": [run(fit=0.2, fit_again=0.01), run(fit=0.1, fit_again=0.03), run(fit=9.0, fit_again=0.02)],
        "lifetimes": [run(fit=2.0), run(fit=4.0), run(fit=3.0)],
        "pymc-marketing": [run(fit=1.23456)],
    }
    assert table(found) == [
        {
            "work": "fit, s",
            "rapport": 0.2,
            "lifetimes": 3.0,
            "pymc-marketing": 1.235,
            "lifetimes / rapport": 15.0,
            "pymc-marketing / rapport": 6.2,
        },
        {"work": "fit again, s", "rapport": 0.02},
    ]


def test_who_could_not_be_measured_leaves_no_figure_and_without_us_there_is_no_multiple() -> None:
    assert table({"rapport": [], "lifetimes": [run(score=2.0)], "pymc-marketing": []}) == [
        {"work": "score, s", "lifetimes": 2.0}
    ]
    assert table({"rapport": [], "lifetimes": []}) == []


@pytest.mark.parametrize("factor", [1.0, 1.0 + SAME * 0.99, 1.0 - SAME * 0.99])
def test_models_that_are_not_quite_the_same_may_differ_a_little(factor: float) -> None:
    require_same({"rapport": [run(1_000.0)], "lifetimes": [run(1_000.0 * factor)], "pymc-marketing": []})


@pytest.mark.parametrize("factor", [1.0 + SAME * 1.01, 1.0 - SAME * 1.01, math.nan])
def test_who_expects_something_else_has_done_other_work_in_any_round(factor: float) -> None:
    found = {"rapport": [run(1_000.0)], "lifetimes": [run(1_000.0), run(1_000.0 * factor)]}
    with pytest.raises(Failed, match=r"lifetimes expects .* purchases, rapport 1,000"):
        require_same(found)


def test_nobody_measured_is_no_comparison() -> None:
    with pytest.raises(Failed, match="nobody"):
        require_same({"rapport": [], "lifetimes": []})
