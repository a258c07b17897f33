"""The judge can be wrong in neither way: a lost, doubled, altered or needless dead letter or effect is a fault."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace

import pytest

from tests.fuzz.batches import Raw
from tests.fuzz.inputs import Fate, Input, Part
from tests.fuzz.judging import Found, Letter, judge
from tests.fuzz.sending import Place, Sent

PLACE = ("crm.inbound", 1, 7)
DOMAIN = ("crm.sales", 2, 9)
RAW = Raw(b"value", b"key", ((b"x", b"1"), (b"\xff", None)))
LETTER = Letter("invalid-data", "why", "interactions", None, b"key", b"value", (("x", b"1"), ("\\xff", None)))


def found(letters: dict[Place, list[Letter]], *effects: str) -> Found:
    return Found(defaultdict(list, letters), Counter(effects))


def single(fate: Fate) -> Sent:
    return Sent(inbound={PLACE: Input("x", RAW, (Part("u", fate),))})


def batch(*fates: Fate) -> Sent:
    parts = tuple(Part(f"u{number}", fate) for number, fate in enumerate(fates))
    return Sent(inbound={PLACE: Input("batch", RAW, parts, elements=True)})


@pytest.mark.parametrize(
    ("fate", "letters", "effects"),
    [(Fate.LETTER, 1, 0), (Fate.EFFECT, 0, 1), (Fate.EITHER, 1, 0), (Fate.EITHER, 0, 1), (Fate.NOTHING, 0, 0)],
)
def test_an_input_with_its_fate_is_no_fault(fate: Fate, letters: int, effects: int) -> None:
    assert judge(single(fate), found({PLACE: [LETTER] * letters}, *["u"] * effects)) == []


@pytest.mark.parametrize(
    ("fate", "letters", "effects"),
    [
        *((fate, 0, 0) for fate in (Fate.LETTER, Fate.EFFECT, Fate.EITHER)),
        *((fate, 1, 1) for fate in Fate),
        *((fate, 2, 0) for fate in Fate),
        *((fate, 0, 2) for fate in Fate),
        (Fate.LETTER, 0, 1),
        (Fate.EFFECT, 1, 0),
    ],
)
def test_an_input_with_another_fate_is_a_fault(fate: Fate, letters: int, effects: int) -> None:
    assert judge(single(fate), found({PLACE: [LETTER] * letters}, *["u"] * effects))


@pytest.mark.parametrize(
    "letter",
    [
        replace(LETTER, value=b"other"),
        replace(LETTER, value=None),
        replace(LETTER, key=None),
        replace(LETTER, headers=()),
        replace(LETTER, headers=(("x", b"2"), ("\\xff", None))),
        replace(LETTER, reason="handler-error"),
    ],
)
def test_a_letter_that_lacks_a_byte_or_is_our_own_failure_is_a_fault(letter: Letter) -> None:
    assert judge(single(Fate.LETTER), found({PLACE: [letter]}))


def test_each_element_of_a_batch_has_a_fate_of_its_own() -> None:
    sent = batch(Fate.LETTER, Fate.EFFECT, Fate.LETTER)
    first, third = replace(LETTER, element=0), replace(LETTER, element=2)
    assert judge(sent, found({PLACE: [first, third]}, "u1")) == []
    assert judge(sent, found({PLACE: [first, first]}, "u1"))
    assert judge(sent, found({PLACE: [first]}, "u1"))
    assert judge(sent, found({PLACE: [first, third]}))


def test_every_listener_of_a_domain_topic_refuses_what_is_wrong_there_and_none_what_is_right() -> None:
    by = [replace(LETTER, handler=handler) for handler in ("campaigns", "scoring", "sync")]
    wrong, right, odd = (Sent(domain={DOMAIN: (kind, RAW)}) for kind in ("wrong", "right", "odd"))
    assert judge(wrong, found({DOMAIN: by})) == []
    assert judge(wrong, found({DOMAIN: by[:2]}))
    assert judge(wrong, found({DOMAIN: [*by, by[0]]}))
    assert judge(right, found({})) == []
    assert judge(right, found({DOMAIN: by[:1]}))
    assert judge(odd, found({DOMAIN: by[:1]})) == []
    assert judge(odd, found({DOMAIN: by[:1] * 2}))


def test_what_http_took_has_its_effect_and_what_it_refused_has_none() -> None:
    for fate, effects in ((Fate.EFFECT, 1), (Fate.LETTER, 0)):
        sent = Sent(told=[Part("u", fate)])
        assert judge(sent, found({}, *["u"] * effects)) == []
        assert judge(sent, found({}, *["u"] * (effects + 1)))
        assert judge(sent, found({}, *["u"] * (1 - effects)))


def test_a_dead_letter_about_nothing_of_ours_is_a_fault() -> None:
    assert judge(Sent(), found({PLACE: [LETTER]}))
