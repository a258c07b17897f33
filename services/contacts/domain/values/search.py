"""What names are found by: tokens without case, accents and script, and keys for those written as they sound."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from anyascii import anyascii

KEPT_IN_MEMORY = 20_000
MAX_TOKENS = 24
"""A name has a handful of words; an index entry for each word of a novel would be an attack."""
MAX_TOKEN = 40
WORD = re.compile(r"[a-z0-9]+")
# German and the Nordic languages write these letters as two where a keyboard has not got them.
SPELT_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae", "œ": "oe", "þ": "th"})
APOSTROPHES = re.compile("['’ʼ`´]")
SOUNDS = (
    (re.compile(r"sch|sh|ch|cz|tsch"), "s"),
    (re.compile(r"ph"), "f"),
    (re.compile(r"th|dt|d"), "t"),
    (re.compile(r"ck|qu|[cqg]"), "k"),
    (re.compile(r"x"), "ks"),
    (re.compile(r"[zß]"), "s"),
    (re.compile(r"[wv]"), "f"),
    (re.compile(r"b"), "p"),
    (re.compile(r"[jy]"), "i"),
)
VOWELS = re.compile(r"(?<!^)[aeiouh]")
DOUBLED = re.compile(r"(.)\1+")


def tokens(text: str) -> list[str]:
    """The words of a text in ASCII, each once: `Müller-Łódź` gives `muller`, `mueller` and `lodz`; `Иван` gives `ivan`."""
    lower = APOSTROPHES.sub("", unicodedata.normalize("NFKC", text).casefold())
    found: dict[str, None] = {}
    for spelling in (lower, lower.translate(SPELT_OUT)):
        found.update(dict.fromkeys(word[:MAX_TOKEN] for word in WORD.findall(_ascii(spelling))))
    return list(found)[:MAX_TOKENS]


@lru_cache(KEPT_IN_MEMORY)
def _ascii(text: str) -> str:
    return str(anyascii(text)).lower()


def sound(token: str) -> str:
    """A key that words get alike if they sound alike to most of Europe: `schmidt`, `schmitt` and `shmid` are `smt`.

    Consonants in classes after H. J. Postel's Cologne phonetics (1969), vowels dropped but the first as in Soundex; coarser
    than either, since it must hold for names of many languages at once. For finding, never for deciding who is who.
    """
    for pattern, letter in SOUNDS:
        token = pattern.sub(letter, token)
    token = DOUBLED.sub(r"\1", token)
    return DOUBLED.sub(r"\1", VOWELS.sub("", token))


def keys(texts: Iterable[str]) -> list[str]:
    """All that some texts are found by, sorted: their tokens, and the sounds of those with letters, marked by `~`."""
    words = {word for text in texts for word in tokens(text)}
    sounds = {f"~{sound(word)}" for word in words if word.isalpha() and len(word) > 2}
    return sorted(words | sounds)


def matches(typed: str, held: Iterable[str]) -> bool:
    """Whether what a person has typed so far finds a record with these keys: every word is the beginning of a token, or
    sounds like one. The words of one spelling must all be found; another spelling is another try.
    """
    held = set(held)
    lower = APOSTROPHES.sub("", unicodedata.normalize("NFKC", typed).casefold())
    spellings = [WORD.findall(_ascii(spelling)) for spelling in (lower, lower.translate(SPELT_OUT))]
    return any(words and all(_found(word, held) for word in words) for words in spellings)


def _found(word: str, held: set[str]) -> bool:
    return (len(word) > 2 and f"~{sound(word)}" in held) or any(key.startswith(word) for key in held)
