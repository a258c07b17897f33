"""How well what was typed fits the keys that names are found by (`words.py`), and where in their order whoever fits is found.

A search walks ranges of these keys, one after the other, those of the best fits first; `slips.py` says who may be meant where
nobody fits.
"""

from collections.abc import Sequence, Set as AbstractSet
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from string import ascii_lowercase
from typing import NamedTuple

from services.contacts.domain.values.words import (
    BEGINNING,
    MAX_TOKEN,
    MAX_TOKENS,
    SOUND_OF,
    beginnings,
    by_sound,
    contracted,
    pair,
    sound_pair,
    sounds_like_something,
    spellings,
)

SLIPS_FROM = 4
"""Letters: with a slip in a shorter word it could be any."""


class Fit(IntEnum):
    """How well what was typed fits a record: as well as the word of it that fits worst."""

    WHOLE = 0
    """Every word is there."""
    BEGUN = 1
    """Every word is there or begins one; of two that are begun both have three letters at least."""
    SOUND = 2
    """Words sound like one; those that have no sound are there or begin one."""
    SLIP = 3
    """One word is one slip of the keyboard away from one that is there, the others are there."""


@dataclass(frozen=True)
class Word:
    """A word that somebody looks for."""

    text: str

    @cached_property
    def short(self) -> str:
        return contracted(self.text)

    @cached_property
    def sound(self) -> str | None:
        """The key of its sound."""
        return by_sound(self.text) if sounds_like_something(self.text) else None

    @cached_property
    def slips(self) -> list[str]:
        """What may have been meant: one letter more, less, another one, or two neighbours changed (Damerau's four slips)."""
        word = self.text
        if len(word) < SLIPS_FROM or not word.isalpha():
            return []
        cuts = [(word[:place], word[place:]) for place in range(len(word) + 1)]
        found = {begun + rest[1:] for begun, rest in cuts if rest}
        found |= {begun + rest[1] + rest[0] + rest[2:] for begun, rest in cuts if len(rest) > 1}
        found |= {begun + letter + rest[1:] for begun, rest in cuts if rest for letter in ascii_lowercase}
        found |= {begun + letter + rest for begun, rest in cuts for letter in ascii_lowercase}
        return sorted(found - {word})

    def fits(self, held: AbstractSet[str], at: Fit) -> bool:
        """Whether a record with these keys has this word, in a way at least as good. Slips are `Slips`' business."""
        if self.text in held:
            return True
        if at is Fit.SOUND and self.sound:
            return self.sound in held
        return at is not Fit.WHOLE and any(key.startswith(self.text) for key in held)


Words = tuple[Word, ...]
BEHIND = "\x7f"
"""Sorts behind all that a key is made of."""


@dataclass(frozen=True)
class Range:
    """Keys from `low` on and before `high`: whoever has one, and all these words so well, is found by it."""

    fit: Fit
    words: Words
    low: str
    high: str

    @property
    def vague(self) -> bool:
        """Of several words only one says where, and that by its sound."""
        return len(self.words) > 1 and self.low.startswith(SOUND_OF)

    def key(self, held: AbstractSet[str], low: str = "") -> str | None:
        """The first key in it that a record has, not before `low`; None if it has none, or not all the words."""
        inside = [key for key in held if max(self.low, low) <= key < self.high]
        return min(inside) if inside and all(word.fits(held, self.fit) for word in self.words) else None


def wanted(typed: str) -> list[Words]:
    """What a person has typed so far: the words that must all be found, the longest first, once for each way to spell them."""
    return [tuple(Word(word) for word in _telling(words)) for words in spellings(typed) if words]


def _telling(words: Sequence[str]) -> list[str]:
    """Without those that begin another, and so are found where it is."""
    kept: dict[str, str] = {}
    for word in sorted((word[:MAX_TOKEN] for word in words[:MAX_TOKENS]), key=len, reverse=True):
        if not any(other.startswith(contracted(word)) for other in kept):
            kept[contracted(word)] = word
    return list(kept.values())


def ranges(typed: str) -> list[Range]:
    """Where whoever fits what was typed is found, the best fits first. Of several words the two longest say where."""
    ways = wanted(typed)
    return [found for fit in (Fit.WHOLE, Fit.BEGUN, Fit.SOUND) for words in ways for found in _ranges(words, fit)]


def _ranges(words: Words, fit: Fit) -> list[Range]:
    def one(key: str) -> Range:
        return Range(fit, words, key, key + "\0")

    def begun(key: str) -> Range:
        return Range(fit, words, key, key + BEHIND)

    if fit is Fit.SOUND:
        sounding = list({word.sound: word for word in words[:2] if word.sound}.values())
        if len(sounding) == 2:
            return [one(sound_pair(*(word.text for word in sounding)))]
        return [one(word.sound) for word in sounding if word.sound]
    if len(words) == 1:
        return [one(words[0].text) if fit is Fit.WHOLE else begun(words[0].text)]
    first, second = words[0].short, words[1].short
    if fit is Fit.WHOLE:
        return [one(pair(first, second))]
    both = [one(beginnings(first, second))] if min(len(first), len(second)) >= BEGINNING else []
    return [begun(pair(first, second)), begun(pair(second, first)), *both]


class Place(NamedTuple):
    """Where in the order of all who are found one stands: in which range, and by which key of it."""

    range: int
    key: str


def place(of: Sequence[Range], held: AbstractSet[str]) -> Place | None:
    """Where a record with these keys is found, None if it is not: what the store's walk comes to."""
    keys_of = ((number, found.key(held)) for number, found in enumerate(of))
    return next((Place(number, key) for number, key in keys_of if key is not None), None)
