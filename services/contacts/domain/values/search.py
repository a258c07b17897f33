"""What names are found by: tokens without case, accents and script, and keys for those written as they sound."""

import re
import unicodedata
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache

from anyascii import anyascii

KEPT_IN_MEMORY = 20_000
MAX_TOKENS = 24
"""A name has a handful of words; an index entry for each word of a novel would be an attack."""
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
    found |= dict.fromkeys(CONTRACTED.sub("", word) for word in found)
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
    """All that some texts are found by, sorted: their tokens, and the sounds of those with letters, marked by `~`."""
    return list(_keys(texts))


@lru_cache(KEPT_IN_MEMORY)
def _keys(texts: tuple[str | None, ...]) -> tuple[str, ...]:
    words = dict.fromkeys(word for text in texts if text for word in tokens(text))
    kept = list(words)[:MAX_TOKENS]
    return tuple(sorted({*kept, *(f"~{sound(word)}" for word in kept if _sounds(word))}))


def _sounds(word: str) -> bool:
    return word.isalpha() and len(word) > 2


@dataclass(frozen=True, slots=True)
class Word:
    """A word that somebody looks for: a token that begins with it is it, and so is one with its sound."""

    beginning: str
    sound: str | None

    def found(self, held: AbstractSet[str]) -> bool:
        return self.sound in held or any(key.startswith(self.beginning) for key in held)


def wanted(typed: str) -> list[list[Word]]:
    """What a person has typed so far: the words that must all be found, once for each way to spell them."""
    return [[_word(word[:MAX_TOKEN]) for word in words[:MAX_TOKENS]] for words in _spellings(typed) if words]


def _word(word: str) -> Word:
    return Word(word, f"~{sound(word)}" if _sounds(word) else None)


def matches(typed: str, held: AbstractSet[str]) -> bool:
    """Whether what was typed finds a record with these keys: what the store's query asks of the database."""
    return any(all(word.found(held) for word in words) for words in wanted(typed))
