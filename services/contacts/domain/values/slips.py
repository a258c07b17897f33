"""Who may be meant where nobody fits what was typed: whoever has all the words but one, and that one with a slip of the keyboard."""

from collections.abc import Set as AbstractSet
from functools import cached_property

from services.contacts.domain.values.search import Place, Words, ranges, wanted
from services.contacts.domain.values.words import contracted, pair


class Slips:
    """Of what was typed. Whoever is meant stands behind all ranges, in one more of which these are the keys."""

    def __init__(self, typed: str) -> None:
        self.range = len(ranges(typed))
        self.ways = wanted(typed)

    @cached_property
    def keys(self) -> list[str]:
        """Sorted. Whoever is meant has one; not all who have one are. Hundreds, which most searches never need."""
        return sorted({key for words in self.ways for key in _keys(words)})

    def place(self, held: AbstractSet[str]) -> Place | None:
        """Where a record with these keys is found, None if it is not meant."""
        if not any(_all_but_one(words, held) for words in self.ways):
            return None
        first = next((key for key in self.keys if key in held), None)
        return Place(self.range, first) if first else None


def _keys(words: Words) -> set[str]:
    found: set[str] = set()
    for word in words:
        other = next((one.short for one in words if one is not word), None)
        found.update(pair(other, contracted(slip)) if other else slip for slip in word.slips)
    return found


def _all_but_one(words: Words, held: AbstractSet[str]) -> bool:
    absent = [word for word in words if word.text not in held]
    return len(absent) == 1 and not held.isdisjoint(absent[0].slips)
