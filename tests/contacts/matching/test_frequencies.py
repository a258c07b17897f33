"""How frequent values are, told from a sample."""

import random
import statistics
from collections import Counter

import numpy as np
import pytest

from services.contacts.domain.matching.frequencies import assumed, learnt
from services.contacts.domain.matching.kinds import Kind
from services.contacts.domain.matching.table import Field, Table
from tests.contacts.matching.kinds import table_of

FIELDS = (Field("family", Kind.FAMILY), Field("email", Kind.EMAIL))


def share(records: int, table: Table, sampled: int, value: str, field: int) -> float:
    found = learnt(table, np.arange(sampled), records)
    other = table_of(FIELDS, [{"family": value, "email": value}] * 2)
    return float(found.compared(other, np.array([0]), np.array([1])).shares[field, 0])


def test_a_sample_tells_the_share_of_frequent_values_and_of_the_many_rare_ones_on_average() -> None:
    dice = random.Random(1)
    names = [f"n{round(dice.paretovariate(1.0))}" for _ in range(40_000)]
    everybody = Counter(names)
    emails = [f"someone{n}@mail.example" for n in range(40_000)]
    table = table_of(
        FIELDS, [{"family": name, "email": email} for name, email in zip(names[:8_000], emails, strict=False)]
    )
    assert share(40_000, table, 8_000, "n1", 0) == pytest.approx(names.count("n1") / 40_000, rel=0.1)
    # Of the values that the sample holds not at all or once, as they are met with: each as often as it is there.
    seen = Counter(names[:8_000])
    rare = [everybody[name] for name in names if seen[name] < 2]
    told = share(40_000, table, 8_000, "n99999", 0)
    # To a factor of three: a bit and a half of a weight of a dozen.
    assert statistics.fmean(rare) / 40_000 / 3 < told < statistics.fmean(rare) / 40_000 * 3
    # All are different: one of them is as rare as one record of all.
    assert share(40_000, table, 8_000, "nobody@mail.example", 1) == pytest.approx(1 / 40_000)


def test_what_nobody_has_or_all_have_alike_gives_shares_all_the_same() -> None:
    several: list[list[dict[str, str]]] = [[], [{}], [{}] * 5, [{"family": "lee", "email": "a@b.example"}] * 5]
    for records in several:
        table = table_of(FIELDS, records)
        found = learnt(table, np.arange(len(records)), len(records))
        for rare, unit in zip(found.rare, found.unit, strict=True):
            assert 0 < unit <= 1
            assert 0 < rare <= 1
        assert all(0 < one <= 1 for of_field in found.shares for one in of_field.values())
    assert assumed(2, 0).unit == (1.0, 1.0)
