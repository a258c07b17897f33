"""How the words of a name begin and sound, in one number: a signature as `domain/digest.py` makes of all else. Pure.

It stands behind each trait in the index, so that of those who have it most who are called otherwise are passed without being read.
"""

from collections.abc import Callable, Iterable
from zlib import crc32

from services.contacts.domain.values.search import Fit, Word, wanted
from services.contacts.domain.values.words import SOUND_OF

BITS = 24
"""For how words begin, and as many for how they sound; a name has three or four words, with what stands before the @."""
LETTERS = 2
"""Of a word, by which it begins."""
Passes = Callable[[int | None], bool]


def initials(found_by: Iterable[str]) -> int:
    """Of the keys that a name is found by (`words.py`): of those of single words."""
    told = 0
    for key in found_by:
        if key.startswith(SOUND_OF):
            told |= _sounds(key)
        elif key[:1].isalnum():
            told |= _begins(key)
    return told


def may_fit(typed: str) -> Passes | None:
    """Whether whoever has these initials may have all the words, begun or as they sound. None: they tell nothing of it.

    Who has none yet passes: a contact of a time before there were any.
    """
    masks = {_all(words, fit) for words in wanted(typed) for fit in (Fit.BEGUN, Fit.SOUND)}
    if 0 in masks:
        return None
    return lambda held: held is None or any(held & mask == mask for mask in masks)


def _all(words: Iterable[Word], fit: Fit) -> int:
    told = 0
    for word in words:
        told |= _sounds(word.sound) if fit is Fit.SOUND and word.sound else _begins(word.text)
    return told


def _begins(word: str) -> int:
    return 1 << crc32(word[:LETTERS].encode()) % BITS if len(word) >= LETTERS else 0


def _sounds(key: str) -> int:
    return 1 << BITS + crc32(key.encode()) % BITS
