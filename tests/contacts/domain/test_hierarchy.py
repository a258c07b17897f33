"""Hierarchies: everybody sees the same tree, whatever was said."""

from datetime import UTC, datetime

from hypothesis import given, strategies as st

from services.contacts.domain.hierarchy import MAX_LEVELS, Above, Climb, Node, grown
from services.contacts.domain.links import upward
from shared.contracts.contacts import Contact
from tests.contacts.domain.test_links import IDS, link, party

NOW = datetime(2027, 1, 1, tzinfo=UTC)
World = dict[str, Contact]
PARENTS = st.dictionaries(st.integers(0, 7), st.tuples(st.integers(0, 7), st.integers(0, 5)))
"""Of some parties the parent, and when it was said."""


def world(parents: dict[int, tuple[int, int]]) -> World:
    held = {n: [link(IDS[parent], hours)] for n, (parent, hours) in parents.items() if n != parent}
    return {IDS[n]: party(IDS[n], "organisation", held.get(n)) for n in range(8)}


def climb(everybody: World, customer: str) -> Above:
    way, contact = Climb(NOW), everybody[customer]
    while True:
        up = upward(contact.links, NOW)
        parent = everybody.get(up.to) if up else None
        if not way.follow(contact, parent) or parent is None:
            return way.above()
        contact = parent


def below(everybody: World, customer: str) -> set[str]:
    top = climb(everybody, customer).top
    level = {customer: Node(everybody[customer], None)}
    seen: set[str] = set()
    while level:
        assert not seen & level.keys(), "nobody stands twice in a tree"
        seen |= level.keys()
        level = grown(level, list(everybody.values()), {one: one for one in everybody}, top, NOW)
    return seen


@given(PARENTS)
def test_everybody_has_one_top_and_stands_below_all_that_are_above(parents: dict[int, tuple[int, int]]) -> None:
    everybody = world(parents)
    for customer in everybody:
        above = climb(everybody, customer)
        way = [one.customer_id for one in above.path]
        assert len(way) == len(set(way))
        assert climb(everybody, above.top).path == (everybody[above.top],)
        for number, step in enumerate(way):
            assert [one.customer_id for one in climb(everybody, step).path] == way[number:]
            assert customer in below(everybody, step)


@given(PARENTS)
def test_the_trees_of_the_tops_hold_everybody_once(parents: dict[int, tuple[int, int]]) -> None:
    everybody = world(parents)
    tops = {climb(everybody, customer).top for customer in everybody}
    trees = [below(everybody, top) for top in tops]
    assert sum(map(len, trees)) == len(everybody)
    assert set().union(*trees) == everybody.keys()


def test_a_circle_is_cut_at_its_oldest_link() -> None:
    everybody = world({0: (1, 3), 1: (2, 1), 2: (0, 2)})
    assert {climb(everybody, IDS[n]).top for n in range(3)} == {IDS[1]}


def test_a_hierarchy_without_end_is_left_at_some_level() -> None:
    ids = IDS[: MAX_LEVELS + 5]
    everybody = {
        one: party(one, "organisation", [link(parent, 1)] if parent else [])
        for one, parent in zip(ids, [*ids[1:], None], strict=True)
    }
    above = climb(everybody, ids[0])
    assert (len(above.path), above.complete) == (MAX_LEVELS, False)
