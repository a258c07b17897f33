"""What is asked: each way in which people type a name they look for."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from string import ascii_lowercase

from tests.bench.search.base import Base, Person


class WrongAnswer(Exception):
    """Nobody, where somebody is."""


@dataclass(frozen=True)
class Question:
    kind: str
    asks: dict[str, str]
    finds: bool = True

    def check(self, answer: bytes) -> None:
        """Raises WrongAnswer."""
        page = json.loads(answer)
        if self.finds and not (page["items"] or page["next"]):
            raise WrongAnswer(f"{self.kind}: {self.asks}")


def questions(base: Base, dice: random.Random, each: int) -> list[Question]:
    """So many of each kind, the kinds in turns."""
    whole = [one for one in base.sample if len(one.given) > 3 and len(one.family) > 3]
    found = []
    for _ in range(each):
        one = dice.choice(whole)
        found.append(Question("identifier", {"identifier": f"card:{one.card}"}))
        found += [Question(kind, {"search": typed(one.given, one.family, dice)}, sure) for kind, typed, sure in KINDS]
        # `doe` is `do`, too short to be found begun beside another: of all there is somebody else who fits, in a territory perhaps nobody.
        found += [Question(kind, asks(one), "begun" not in kind) for kind, asks in TRAITS]
    return found


def _slip(word: str, dice: random.Random) -> str:
    """Another letter in it."""
    place = dice.randrange(1, len(word))
    return word[:place] + dice.choice(ascii_lowercase.replace(word[place], "")) + word[place + 1 :]


def _kinds() -> Iterator[tuple[str, Callable[[str, str, random.Random], str], bool]]:
    yield "given and family name", lambda given, family, _: f"{given} {family}", True
    yield "the other way round, in capitals", lambda given, family, _: f"{family} {given}".upper(), True
    yield "family name", lambda _, family, __: family, True
    yield "one letter", lambda _, family, __: family[0], True
    yield "two letters", lambda _, family, __: family[:2], True
    yield "three letters", lambda _, family, __: family[:3], True
    yield "five letters", lambda _, family, __: family[:5], True
    yield "given name, family name begun", lambda given, family, _: f"{given} {family[:2]}", True
    yield "both begun", lambda given, family, _: f"{given[:3]} {family[:3]}", True
    yield "initial and family name", lambda given, family, _: f"{given[0]} {family}", True
    yield "family name with a slip", lambda _, family, dice: _slip(family, dice), False
    yield "both, one with a slip", lambda given, family, dice: f"{given} {_slip(family, dice)}", False
    yield "nobody", lambda given, _, dice: f"{given} qx{dice.randrange(10**6)}", False


KINDS = list(_kinds())


def _traits() -> Iterator[tuple[str, Callable[[Person], dict[str, str]]]]:
    yield "city", lambda one: {"city": one.city}
    yield "city and territory", lambda one: {"city": one.city, "territory": one.territory}
    yield "family name, city", lambda one: {"search": one.family, "city": one.city}
    yield "given name, city", lambda one: {"search": one.given, "city": one.city}
    yield "two letters, city", lambda one: {"search": one.family[:2], "city": one.city}
    yield (
        "both begun, territory",
        lambda one: {"search": f"{one.given[:3]} {one.family[:3]}", "territory": one.territory},
    )
    yield (
        "given name, city, territory",
        lambda one: {"search": one.given, "city": one.city, "territory": one.territory},
    )
    yield (
        "one letter, city, territory",
        lambda one: {
            "search": one.family[0],
            "city": one.city,
            "territory": one.territory,
        },
    )


TRAITS = list(_traits())
