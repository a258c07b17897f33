"""What becomes of a value on its way into a register: slips of pen, ear and scanner, gaps, and what stands for a gap."""

from __future__ import annotations

import random
from collections.abc import Mapping

from tests.contacts.matching.people import Record, slip

HEARD = (("ph", "f"), ("ck", "k"), ("ie", "ei"), ("y", "i"), ("th", "t"), ("c", "k"), ("z", "s"), ("ss", "s"), ("ll", "l"),
         ("mm", "m"), ("nn", "n"), ("ee", "ea"), ("v", "w"), ("d", "t"), ("b", "p"))  # fmt: skip
SCANNED = (
    ("0", "O"),
    ("1", "l"),
    ("5", "S"),
    ("8", "B"),
    ("rn", "m"),
    ("m", "rn"),
    ("i", "l"),
    ("cl", "d"),
    ("vv", "w"),
    ("e", "c"),
)
NOTHING = ("UNKNOWN", "N/A", "TEST", "-", "null", "not known", "?", "XXX", "none", ".")


def heard(text: str, dice: random.Random) -> str:
    """Written as it sounds."""
    return _replaced(text, HEARD, dice)


def scanned(text: str, dice: random.Random) -> str:
    """Read by a machine."""
    return _replaced(text, SCANNED, dice)


def _replaced(text: str, changes: tuple[tuple[str, str], ...], dice: random.Random) -> str:
    fitting = [(a, b) for a, b in changes if a in text.lower()]
    if not fitting:
        return slip(text, dice)
    a, b = dice.choice(fitting)
    place = text.lower().index(a)
    return text[:place] + b + text[place + len(a) :]


def dirty(record: Record, dice: random.Random, gaps: Mapping[str, float], slips: float, nothing: float = 0.0) -> Record:
    """Gaps by column (else 3 in 100), of which a share has a word for nothing; slips in the rest but in `kept` ones."""
    found = {}
    for name, value in record.items():
        if dice.random() < gaps.get(name, 0.03):
            found[name] = dice.choice(NOTHING) if dice.random() < nothing else ""
        elif value and dice.random() < slips:
            found[name] = dice.choice((slip, slip, heard, scanned))(value, dice)
        else:
            found[name] = value
    return found


def day(dice: random.Random, first: int, last: int) -> tuple[int, int, int]:
    return dice.randint(first, last), dice.randint(1, 12), dice.randint(1, 28)


def misdated(date: tuple[int, int, int], dice: random.Random) -> tuple[int, int, int]:
    """Day and month crossed, a year or ten off, or the first of January."""
    year, month, of_month = date
    return dice.choice(
        (
            (year, of_month, month) if of_month <= 12 else (year, month, max(of_month - 1, 1)),
            (year + dice.choice((-1, 1)), month, of_month),
            (year + dice.choice((-10, 10)), month, of_month),
            (year, 1, 1),
            (year, month, dice.randint(1, 28)),
        )
    )


def iso(date: tuple[int, int, int]) -> str:
    return f"{date[0]}-{date[1]:02}-{date[2]:02}"


def european(date: tuple[int, int, int]) -> str:
    return f"{date[2]:02}/{date[1]:02}/{date[0]}"
