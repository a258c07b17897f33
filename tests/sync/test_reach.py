"""How far a webhook may have been sent anything: on record before it is, ahead where it works, and exact where it fails."""

import random

import pytest

from services.sync.domain.outgoing import Place
from services.sync.domain.reach import Reach, may_have_got


def test_what_lies_beyond_the_record_is_put_down_first_and_ahead() -> None:
    reach = Reach({0: 5}, ahead=10)
    assert reach.lacking([Place(0, 4), Place(0, 5)], {0: 5}) == {}
    assert reach.lacking([Place(0, 7), Place(0, 6), Place(1, 1)], {0: 7, 1: 1}) == {0: 17, 1: 11}
    reach.recorded({0: 17, 1: 11})
    assert reach.lacking([Place(0, 17), Place(1, 11)], {0: 17, 1: 11}) == {}


def test_a_backlog_is_put_down_as_a_whole() -> None:
    reach = Reach({}, ahead=10)
    assert reach.lacking([Place(0, 7)], {0: 900}) == {0: 910}
    reach.recorded({0: 910})
    reach.sends(Place(0, 904))
    assert reach.settling({0: 905}, ahead=True) == {}
    reach.sends(Place(0, 906))
    assert reach.settling({0: 1200}, ahead=True) == {0: 1210}


def test_a_settlement_bears_it_only_when_half_of_what_was_ahead_is_used_up() -> None:
    reach = Reach({}, ahead=10)
    reach.recorded({0: 10})
    reach.sends(Place(0, 5))
    assert reach.settling({}, ahead=True) == {}
    reach.sends(Place(0, 6))
    assert reach.settling({}, ahead=True) == {0: 16}
    assert reach.lacking([Place(0, 11)], {}) == {0: 21}, "it is not stored yet"
    reach.settled()
    assert reach.lacking([Place(0, 16)], {}) == {}


def test_where_the_channel_fails_nothing_stays_ahead_and_what_is_taken_away_is_so_at_once() -> None:
    reach = Reach({}, ahead=10)
    reach.recorded({0: 13})
    reach.sends(Place(0, 3))
    assert reach.settling({}, ahead=False) == {0: 3}
    assert reach.lacking([Place(0, 4)], {}) == {0: 14}
    reach.settled()
    assert reach.sent() == {0: 3}


def test_what_a_worker_before_may_have_sent_is_not_taken_away() -> None:
    reach = Reach({0: 100}, ahead=10)
    reach.sends(Place(0, 7))
    assert reach.settling({}, ahead=False) == {}
    assert reach.sent() == {0: 100}


class Life:
    """A worker's batches and their settlements, each of which may or may not come through, and the record in the database."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.ahead = self.chance.choice((0, 1, 5))
        self.stored: dict[int, int] = {}
        self.under_way: dict[int, int] = {}
        self.sent = {0: 0, 1: 0}
        self.reach = Reach({}, self.ahead)

    def batch(self) -> None:
        places = [Place(p, self.sent[p] + self.chance.randint(-2, 4)) for p in self.chance.choices((0, 1), k=3)]
        if self.chance.random() < 0.3:
            self.come_through()
        if self.reach.lacking(places, self.sent):
            self.settle()
            ends = self.reach.lacking(places, self.sent)
            self.stored |= ends
            self.reach.recorded(ends)
        for partition, position in places[: self.chance.randint(0, 3)]:
            self.reach.sends(Place(partition, position))
            self.sent[partition] = max(self.sent[partition], position)

    def come_through(self) -> None:
        self.stored |= self.under_way
        self.under_way = {}

    def settle(self) -> None:
        self.come_through()
        self.reach.settled()

    def die(self) -> None:
        if self.chance.random() < 0.5:
            self.come_through()
        self.under_way = {}
        self.reach = Reach(self.stored, self.ahead)

    def all_on_record(self) -> bool:
        """Whatever becomes of the settlement that is under way."""
        records = (self.stored, self.stored | self.under_way)
        return all(end <= record.get(partition, 0) for record in records for partition, end in self.sent.items())


@pytest.mark.parametrize("seed", range(50))
def test_nothing_is_ever_sent_beyond_the_record_whenever_the_process_dies(seed: int) -> None:
    life = Life(seed)
    for _ in range(100):
        life.batch()
        assert life.all_on_record()
        if life.chance.random() < 0.1:
            life.die()
        else:
            life.settle()
            life.under_way = dict(life.reach.settling(life.sent, ahead=life.chance.random() < 0.6))
        assert life.all_on_record()


@pytest.mark.parametrize(
    ("reach", "partition", "first", "expected"),
    [
        ({0: 5}, 0, Place(0, 5), True),
        ({0: 5}, 0, Place(0, 6), False),
        ({1: 5}, 0, Place(0, 1), False),
        ({}, 0, None, False),
        ({1: 5}, 0, None, True),
        ({0: 5}, 1, Place(0, 9), True),  # partitions were added, and what they had in the old one is not known
    ],
)
def test_whoever_came_within_reach_may_have_been_sent_however_often_they_have_changed(
    reach: dict[int, int], partition: int, first: Place | None, expected: bool
) -> None:
    assert may_have_got(reach, partition, first) is expected
