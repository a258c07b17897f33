"""Who of those that share a key is worth comparing."""

from services.contacts.domain.matching.index import FREQUENT
from services.contacts.domain.matching.nearest import COPIES, MOST_HOLDERS, nearest


def test_whoever_shares_the_rarest_keys_comes_first() -> None:
    holders = {1: ["ann", "bob"], 2: ["cleo", *(f"x{n}" for n in range(50))], 3: ["dora", "cleo", "eve"]}
    assert nearest([1, 2, 3], holders, [])[:5] == ["cleo", "ann", "bob", "dora", "eve"]
    assert nearest([2], holders, [])[:2] == ["cleo", "x0"]
    assert nearest([4], holders, []) == []


def test_a_frequent_key_is_not_followed() -> None:
    most = [f"c{n:03}" for n in range(FREQUENT)]
    assert len(nearest([1], {1: most}, [])) == MOST_HOLDERS
    assert nearest([1], {1: [*most, "one more"]}, []) == []


def test_the_first_of_those_alike_in_everything_come_before_all() -> None:
    copies = [f"copy {n}" for n in reversed(range(2 * COPIES))]
    found = nearest([1, 2], {1: ["ann"], 2: ["ann", *copies]}, copies)
    assert found[:COPIES] == sorted(copies)[:COPIES]
    assert found[COPIES] == "ann"
