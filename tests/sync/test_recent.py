"""What an instance knows by heart of its own changes: the same as the database would say, or nothing."""

from collections.abc import Sequence

from hypothesis import given, strategies as st

from services.sync.domain.outgoing import Changed, Place
from services.sync.domain.positions import Cursor, ahead
from services.sync.handlers.recent import Recent, Written, shared_out
from tests.sync.facts import ANNA, BERT, CLEO

Spot = tuple[str, int]
"""A customer who changes, and in which partition."""


def changed(customer: str, partition: int, position: int) -> Changed:
    return Changed(customer, position, "2026-11-22T12:00:00Z", Place(partition, position), (), b"{}")


class History:
    """Changes as the database would have them, beside what is known by heart."""

    def __init__(self, most: int = 100) -> None:
        self.recent = Recent(most)
        self.tails: Cursor = {}
        self.views: dict[str, Changed] = {}

    def happen(self, *spots: Spot, ours: bool = True, lives: int | None = None) -> None:
        """A batch of changes commits."""
        before, changes = dict(self.tails), []
        for customer, partition in spots:
            self.tails[partition] = self.tails.get(partition, 0) + 1
            changes.append(changed(customer, partition, self.tails[partition]))
        self.views |= {one.customer_id: one for one in changes}
        if ours:
            since = self.recent.lives if lives is None else lives
            after = {partition: self.tails[partition] for _, partition in spots}
            self.recent.written(Written(since, {p: before.get(p, 0) for p in after}, after, changes))

    def beyond(self, cursor: Cursor) -> list[Changed]:
        found = (one for one in self.views.values() if one.place.position > cursor.get(one.place.partition, 0))
        return sorted(found, key=lambda one: one.place)


def customers(found: Sequence[Changed] | None) -> list[str] | None:
    return None if found is None else [one.customer_id for one in found]


def test_what_has_changed_since_is_known_in_order_and_each_customer_once() -> None:
    history = History()
    history.happen((ANNA, 0), (BERT, 1))
    history.happen((CLEO, 0), (ANNA, 0))
    assert customers(history.recent.beyond({}, history.tails, 10)) == [CLEO, ANNA, BERT]
    assert customers(history.recent.beyond({0: 2, 1: 1}, history.tails, 10)) == [ANNA]
    assert history.recent.beyond(history.tails, history.tails, 10) == []


def test_what_lies_beyond_the_tails_that_somebody_knows_comes_next_time() -> None:
    history = History()
    history.happen((ANNA, 0))
    tails = dict(history.tails)
    history.happen((BERT, 0))
    assert customers(history.recent.beyond({}, tails, 10)) == [ANNA]


def test_before_the_first_change_of_ours_the_database_is_asked() -> None:
    history = History()
    history.happen((ANNA, 0), ours=False)
    history.happen((BERT, 0))
    assert history.recent.beyond({}, history.tails, 10) is None
    assert customers(history.recent.beyond({0: 1}, history.tails, 10)) == [BERT]


def test_a_change_of_somebody_elses_ends_all_that_is_known_in_other_partitions_too() -> None:
    """The customer may have gone there, and would be met here in an older version."""
    history = History()
    history.happen((ANNA, 0), (BERT, 1))
    history.happen((BERT, 0), ours=False)
    history.happen((CLEO, 0))
    assert history.recent.beyond({}, history.tails, 10) is None
    assert history.recent.beyond({0: 2}, history.tails, 10) is None
    history.happen((ANNA, 0))
    assert customers(history.recent.beyond({0: 3, 1: 1}, history.tails, 10)) == [ANNA]


def test_a_change_under_way_while_others_are_heard_of_is_not_known_either() -> None:
    """Theirs may have followed it, and be in the database already."""
    history = History()
    lives = history.recent.lives
    history.recent.forget()
    history.happen((ANNA, 0), lives=lives)
    assert history.recent.beyond({}, history.tails, 10) is None


def test_what_is_old_is_forgotten() -> None:
    history = History(most=2)
    for _ in range(3):
        history.happen((ANNA, 0), (BERT, 0))
    assert history.recent.beyond({}, history.tails, 10) is None
    assert customers(history.recent.beyond({0: 4}, history.tails, 10)) == [ANNA, BERT]


def test_where_there_is_more_than_the_limit_no_partition_waits_for_another() -> None:
    lanes = [[changed(ANNA, partition, position) for position in range(5)] for partition in range(3)]
    found = shared_out(lanes, 7)
    assert [one.place for one in found] == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (2, 0), (2, 1)]


BATCHES = st.lists(
    st.tuples(st.lists(st.tuples(st.sampled_from((ANNA, BERT, CLEO)), st.integers(0, 2)), min_size=1, max_size=3),
              st.booleans()),
    max_size=30,
)  # fmt: skip


@given(BATCHES, st.integers(1, 4))
def test_whatever_happens_it_says_what_the_database_would_say_or_nothing(
    batches: list[tuple[list[Spot], bool]], most: int
) -> None:
    history, cursors = History(most), [Cursor()]
    for spots, ours in batches:
        once = list({customer: (customer, partition) for customer, partition in spots}.values())
        history.happen(*once, ours=ours)
        if not ours:
            history.recent.forget()  # as whoever looks at the tails does before anybody hears of them
        for cursor in cursors:
            found = history.recent.beyond(cursor, history.tails, 100)
            assert found is None or found == history.beyond(cursor)
        assert history.recent.beyond(history.tails, history.tails, 100) == []
        assert not ahead(history.tails, history.tails)
        cursors.append(dict(history.tails))
