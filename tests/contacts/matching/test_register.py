"""Records that come and go, each looked up."""

import random

from services.contacts.domain.matching.decide import Thresholds
from services.contacts.domain.matching.register import Match, Register
from tests.contacts.matching.kinds import PERSON
from tests.contacts.matching.people import people

THRESHOLDS = Thresholds()


def ids(matches: list[Match[str]]) -> set[str]:
    return {one.id for one in matches}


def test_a_lookup_finds_what_all_at_once_finds() -> None:
    made = people(250, seed=12)
    register: Register[int] = Register(PERSON)
    for number, record in enumerate(made.records):
        register.put(number, record)
    found = register.find(THRESHOLDS)
    pairs = [
        (register.id_of[a], register.id_of[b])
        for a, b in zip(found.merged.left.tolist(), found.merged.right.tolist(), strict=True)
    ]
    assert len(pairs) > 100
    for a, b in pairs[:100]:
        assert b in {one.id for one in register.matches(made.records[a], THRESHOLDS, but=a) if one.automatic}


def test_after_any_changes_it_is_as_if_the_last_had_been_the_only_ones() -> None:
    made = people(60, seed=13)
    dice = random.Random(1)
    changed, plain = Register[str](PERSON), Register[str](PERSON)
    for number, record in enumerate(made.records):
        changed.put(str(number), made.records[dice.randrange(len(made.records))])
        changed.put(str(number), record)
        changed.put(f"gone {number}", record)
        changed.remove(f"gone {number}")
        changed.remove("never there")
        if dice.random() < 0.05:
            changed.index.compact()
    for number, record in enumerate(made.records):
        plain.put(str(number), record)
    assert len(changed) == len(plain) == len(made.records)
    for number, record in enumerate(made.records):
        assert ids(changed.matches(record, THRESHOLDS, str(number))) == ids(
            plain.matches(record, THRESHOLDS, str(number))
        )


def test_looking_leaves_no_trace() -> None:
    register: Register[str] = Register(PERSON)
    register.put("a", {"given": "Ann", "family": "Lee", "email": "ann@lee.example", "birth": "1970-01-02"})
    before = [(list(column.values), list(column.counts)) for column in register.table.columns]
    stranger = {"given": "Zoe", "family": "Lee", "email": "zoe@lee.example", "birth": "1970-01-02"}
    for _ in range(3):
        register.matches(stranger, THRESHOLDS)
    assert [(column.values, column.counts) for column in register.table.columns] == before
    assert len(register.table) == 1


def test_an_empty_register_knows_nobody() -> None:
    assert Register[str](PERSON).matches({"given": "Ann"}, THRESHOLDS) == []
    register: Register[str] = Register(PERSON)
    register.put("a", {})
    assert register.matches({}, THRESHOLDS) == []
