"""Pairs weighed together are as if each had been weighed alone."""

import random
from itertools import combinations

import pytest

from services.contacts.domain.matching.proposals import Knowledge, unlearnt, weigh
from services.contacts.domain.matching.record import Record, beside, record_of
from services.contacts.handlers.learning import learnt_of
from tests.contacts.matching.contacts import person
from tests.contacts.matching.people import people

LEAST = 0.2


@pytest.fixture(scope="module")
def records() -> list[Record]:
    dice = random.Random(6)
    made = people(40, seed=61).records
    found = [record_of(person("019b7a2c-5c00-7000-8000-000000000001", one).published) for one in made]
    # One in five has a second number, and an address of somebody else's.
    return [one if dice.random() < 0.8 else with_more(one, dice.choice(found)) for one in found]


def with_more(one: Record, other: Record) -> Record:
    phones, places = (
        tuple(dict.fromkeys([*mine, *theirs]))
        for mine, theirs in ((one.phones, other.phones), (one.places, other.places))
    )
    return Record(one.party, one.values, phones, one.emails, one.identifiers, places)


@pytest.fixture(scope="module")
def knowledge(records: list[Record]) -> Knowledge:
    known = {str(n): one for n, one in enumerate(records)}
    pairs = [(str(a), str(b)) for a, b in combinations(range(0, len(records), 3), 2)]
    return learnt_of("person", known, list(known), pairs, 1.0, len(records))


@pytest.mark.parametrize("learnt", [True, False])
def test_a_pair_weighs_what_it_weighs_alone(records: list[Record], knowledge: Knowledge, learnt: bool) -> None:
    known = knowledge if learnt else unlearnt("person", 0)
    pairs = list(combinations(records[:60], 2))
    together = weigh(known, pairs, LEAST)
    assert any(one.probability >= LEAST for one in together)
    for pair, one in list(zip(pairs, together, strict=True))[::17]:
        [alone] = weigh(known, [pair], LEAST)
        assert one.probability == pytest.approx(alone.probability)
        assert (one.why is None) == (one.probability < LEAST)
        assert str(one.why) == str(alone.why)


def test_who_has_one_number_and_address_is_seen_as_such(records: list[Record]) -> None:
    plain = [one for one in records if one.plain]
    assert len(plain) < len(records)
    for one, other in combinations(plain[:40], 2):
        assert beside(one, other) == (one.values, other.values)
