"""Dead letters are exactly the poison, byte for byte, each once and with its reason."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from tests.torture.judge.books import Books
from tests.torture.judge.breach import Breaches
from tests.torture.judge.inbound import Place

RULE = "dead letters are exactly the poison"
INBOUND = "crm.inbound"


class Letter(NamedTuple):
    """A dead letter as interactions keeps it."""

    topic: str
    place: Place
    reason: str
    handler: str
    body: bytes | None


class Original(NamedTuple):
    """What the poison was: the bytes that were sent, and the reason that must be given."""

    body: bytes
    reason: str


def letters(
    books: Books,
    poison: Mapping[Place, int],
    originals: Mapping[int, Original],
    found: Iterable[Letter],
    breaches: Breaches,
    maybe: Collection[int] = (),
) -> None:
    """`poison` is where the log has it; `originals` are by the events' numbers; `maybe` are customers whose
    letters may be gone.
    """
    answered: set[Place] = set()
    for letter in found:
        number = poison.get(letter.place) if letter.topic == INBOUND else None
        where = f"{letter.topic} {letter.place.partition}:{letter.place.offset}"
        if number is None or letter.place in answered:
            expected = "one letter for each poison and none for anything else"
            breaches.expect(RULE, where, expected, f"{letter.handler} refused it: {letter.reason}", event=number)
            continue
        answered.add(letter.place)
        original = originals[number]
        reason = (original.reason, original.body)
        breaches.expect(RULE, where, reason, (letter.reason, letter.body or b""), event=number)
    for place, number in poison.items():
        if place not in answered and books.customer[number] not in maybe:
            where = f"poison {books.event_id(number)} at {place.partition}:{place.offset}"
            breaches.expect(RULE, where, "a dead letter", None, event=number)


def kept(note: Mapping[str, Any], body: Mapping[str, Any] | None) -> Letter:
    """From interactions' two documents of a dead letter."""
    value = (body or {}).get("value")
    place = Place(note["partition"], note["offset"])
    return Letter(note["topic"], place, note["reason"], note["handler"], None if value is None else bytes(value))
