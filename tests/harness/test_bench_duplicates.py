"""What the bench of duplicates counts, and what it gives to its competitors."""

import pytest

from deploy.local.servers import Servers
from tests.bench.duplicates import kept, table_row
from tests.bench.duplicates.lookup import measured
from tests.bench.duplicates.one import _connected, blocking
from tests.bench.duplicates.sets import Duplicates, load


def test_pairs_are_counted_as_the_clusters_imply() -> None:
    data = Duplicates({}, ["a", "a", "a", "b", "b", "c"])
    assert data.true_pairs == 4
    assert data.figures([[0, 1, 3], [4, 5]]) == {"precision": 0.25, "recall": 0.25, "F1": 0.25}
    assert data.figures([[0, 1, 2], [3, 4]])["F1"] == 1.0
    assert data.figures([])["F1"] == 0.0


def test_pairs_are_connected_to_clusters() -> None:
    assert sorted(map(sorted, _connected([(1, 2), (5, 6), (2, 3)]))) == [[1, 2, 3], [5, 6]]


@pytest.mark.parametrize(
    ("name", "pairs"),
    [("febrl4", 5_000), ("febrl3", 6_538), ("splink_fake", 2_031), ("febrl4 without identifier", 5_000)],
)
def test_the_sets_are_whole_and_tell_nobody_whose_a_row_is(name: str, pairs: int) -> None:
    data = load(name)
    assert data.true_pairs == pairs
    assert not {"rec_id", "cluster", "person", "unique_id"} & set(data.columns)
    assert ("soc_sec_id" in data.columns) == (name in {"febrl4", "febrl3"})
    assert all(column in data.columns for names in blocking(data) for column in names)


def test_a_row_has_the_median_of_the_rounds() -> None:
    runs = [{"precision": 1.0, "recall": 0.5, "F1": 2 / 3, "s": s, "CPU s": s, "peak MB": 100.4, "threshold": 0.95} for s in (3.0, 1.0, 2.0)]  # fmt: skip
    assert table_row(runs) == {
        "precision": 1.0, "recall": 0.5, "F1": 0.6667, "s": 2.0, "CPU s": 2.0, "peak MB": 100, "threshold": 0.95,
    }  # fmt: skip


def test_lookups_find_what_is_there() -> None:
    found = measured(2_000)
    assert found["records"] > 1_500
    assert found["matches each"] > 0.5
    assert 0 < found["p50 ms"] <= found["p99 ms"] <= found["max ms"]


async def test_lookups_find_what_is_kept_in_the_database(servers: Servers) -> None:
    found = await kept.measured(1_000, servers.mongo.url)
    assert found["records"] > 800
    assert found["matches each"] > 0.5
    assert 0 < found["p50 ms"] <= found["p99 ms"] <= found["max ms"]
