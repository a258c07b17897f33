"""What names are found by: keys of their words, without case, accents and script.

| key | of |
|---|---|
| `muller` | a word |
| `~mlr` | its sound |
| `+anna muller`, `+muller anna` | two words, contracted, so that two frequent ones are one look into the index |
| `^ann mul` | their first three letters, in alphabetical order |
| `+~an ~mlr` | their sounds, in alphabetical order |

All scripts are folded into what any keyboard has; deciding who is who takes a folding that keeps more apart
(`matching/text.py`). What is typed into a search is held against these keys by `search.py`.
"""

import re
import unicodedata
from functools import lru_cache
from itertools import combinations, permutations

from anyascii import anyascii

KEPT_IN_MEMORY = 20_000
MAX_TOKENS = 12
"""A name has a handful of words; entries for each two words of a novel would be an attack."""
BEGINNING = 3
"""Letters of two words that are both begun."""
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
    found = dict.fromkeys(word[:MAX_TOKEN] for words in spellings(text) for word in words)
    found |= dict.fromkeys(map(contracted, found))
    return list(found)[:MAX_TOKENS]


def spellings(text: str) -> list[list[str]]:
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
