"""What names are found by: keys of their words, without case, accents and script, and how well what was typed fits them.

| key | of |
|---|---|
| `muller` | a word |
| `~mlr` | its sound |
| `+anna muller`, `+muller anna` | two words, contracted, so that two frequent ones are one look into the index |
| `^ann mul` | their first three letters, in alphabetical order |
| `+~an ~mlr` | their sounds, in alphabetical order |

A search walks ranges of these keys, one after the other, those of the best fits first. All scripts are folded into
what any keyboard has; deciding who is who takes a folding that keeps more apart (`matching/text.py`).
"""

import re
import unicodedata
from collections.abc import Sequence, Set as AbstractSet
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property, lru_cache
from itertools import combinations, permutations
from string import ascii_lowercase
from typing import NamedTuple

from anyascii import anyascii

KEPT_IN_MEMORY = 20_000
MAX_TOKENS = 12
"""A name has a handful of words; entries for each two words of a novel would be an attack."""
BEGINNING = 3
"""Letters of two words that are both begun."""
SLIPS_FROM = 4
"""Letters: with a slip in a shorter word it could be any."""
MAX_TOKEN = 40
WORD = re.compile(r"[a-z0-9]+")
# German and the Nordic languages write these letters as two where a keyboard has not got them.
SPELT_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae", "œ": "oe", "þ": "th"})
CONTRACTED = re.compile(r"(?<=[aou])e")
"""Whoever types `Juergen` is also looked for as `Jurg...`."""
APOSTROPHES = re.compile("['’ʼ`´]")
# The longer first. `x` is two sounds, all other letters one.
GROUPS = {
    "tsch": "s",
    "sch": "s",
    "sh": "s",
    "ch": "s",
    "cz": "s",
    "ph": "f",
    "th": "t",
    "dt": "t",
    "ck": "k",
    "qu": "k",
}
CLASSES = str.maketrans(
    {"d": "t", "c": "k", "q": "k", "g": "k", "x": "ks", "z": "s", "w": "f", "v": "f", "b": "p", "j": "i", "y": "i"}
)
VOWELS = str.maketrans("", "", "aeiouh")
"""With the `h`, which many languages write and do not speak."""
DOUBLED = re.compile(r"(.)\1+")


def tokens(text: str) -> list[str]:
    """The words of a text in ASCII, each once: `Müller-Łódź` gives `muller`, `mueller` and `lodz`; `Иван` gives `ivan`."""
    found = dict.fromkeys(word[:MAX_TOKEN] for words in _spellings(text) for word in words)
    found |= dict.fromkeys(map(contracted, found))
    return list(found)[:MAX_TOKENS]


def _spellings(text: str) -> list[list[str]]:
    """The words of a text, and where a letter of it can be spelt out, those with it spelt out."""
    lower = APOSTROPHES.sub("", text.casefold() if text.isascii() else unicodedata.normalize("NFKC", text).casefold())
    if lower.isascii():
        return [WORD.findall(lower)]
    spelt = lower.translate(SPELT_OUT)
    return [WORD.findall(_ascii(spelling)) for spelling in dict.fromkeys((lower, spelt))]


@lru_cache(KEPT_IN_MEMORY)
def _ascii(text: str) -> str:
    return str(anyascii(text)).lower()


@lru_cache(KEPT_IN_MEMORY)
def sound(token: str) -> str:
    """A key that words get alike if they sound alike to most of Europe: `schmidt`, `schmitt` and `shmid` are `smt`.

    Consonants in classes after H. J. Postel's Cologne phonetics (1969), vowels dropped but the first as in Soundex; coarser
    than either, since it must hold for names of many languages at once. For finding, never for deciding who is who.
    """
    for letters, letter in GROUPS.items():
        token = token.replace(letters, letter)
    token = token.translate(CLASSES)
    return DOUBLED.sub(r"\1", token[:1] + token[1:].translate(VOWELS))


def keys(*texts: str | None) -> list[str]:
    """All that some texts are found by, sorted."""
    return list(_keys(texts))


@lru_cache(KEPT_IN_MEMORY)
def _keys(texts: tuple[str | None, ...]) -> tuple[str, ...]:
    words = list(dict.fromkeys(word for text in texts if text for word in tokens(text)))[:MAX_TOKENS]
    short = list(dict.fromkeys(map(contracted, words)))
    sounds = {by_sound(word) for word in words if sounds_like_something(word)}
    begun = {beginnings(*two) for two in combinations([word for word in short if len(word) >= BEGINNING], 2)}
    alike = {sound_pair(*two) for two in combinations([word for word in short if sounds_like_something(word)], 2)}
    return tuple(sorted({*words, *sounds, *(pair(*two) for two in permutations(short, 2)), *begun, *alike}))


def contracted(word: str) -> str:
    """`juergen` and `jurgen` are `jurgen`. What begins a word, contracted, begins the word contracted."""
    return CONTRACTED.sub("", word)


def pair(first: str, second: str) -> str:
    """The key of two contracted words."""
    return f"+{first} {second}"


def beginnings(*contracted_words: str) -> str:
    return "^" + " ".join(sorted(word[:BEGINNING] for word in contracted_words))


SOUND_OF = "~"


def by_sound(word: str) -> str:
    return SOUND_OF + sound(word)


def sound_pair(first: str, second: str) -> str:
    return "+" + " ".join(sorted((by_sound(first), by_sound(second))))


def sounds_like_something(word: str) -> bool:
    return word.isalpha() and len(word) > 2


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
    return [tuple(Word(word) for word in _telling(words)) for words in _spellings(typed) if words]


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


def slips(typed: str) -> list[str]:
    """Keys of those who may be meant by what nobody is called; whoever has one is found if he has the other words (`meant`)."""
    found: dict[str, None] = {}
    for words in wanted(typed):
        for word in words:
            other = next((one.short for one in words if one is not word), None)
            found |= dict.fromkeys(pair(other, contracted(slip)) if other else slip for slip in word.slips)
    return list(found)


def meant(typed: str, held: AbstractSet[str]) -> bool:
    """Whether all words but one are there, and that one with a slip."""
    return any(
        sum(word.text not in held for word in words) == 1
        and all(word.text in held or not held.isdisjoint(word.slips) for word in words)
        for words in wanted(typed)
    )
