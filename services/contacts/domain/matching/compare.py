"""How far two values of a kind agree, for many pairs at once: edit distances by rapidfuzz, levels as in `kinds.SCALES`."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz
from rapidfuzz.distance import OSA, JaroWinkler
from rapidfuzz.process import cpdist

from services.contacts.domain.matching.kinds import Kind
from services.contacts.domain.matching.names import TOGETHER, firm, given_alike, parts_of, whole

Levels = npt.NDArray[np.int8]
Flags = npt.NDArray[np.bool_]
Texts = Sequence[str]

# Jaro-Winkler, at and above which two words are nearly the same, or alike: the usual values (Winkler 1990; Splink and
# recordlinkage cut at .92 and .88 or .8), kept apart so that EM can weigh them apart.
NEAR, ALIKE = 0.92, 0.82
NEAR_RATIO = 90


def levels(kind: Kind, left: Texts, right: Texts) -> Levels:
    """The level of each pair of present values that are not the same (those have level 0), (n,)."""
    if not left:
        return np.zeros(0, np.int8)
    return COMPARISONS[kind](left, right)


def crossed(one: Texts, other: Texts) -> npt.NDArray[np.int8]:
    """How well one's given name is the other's family name: 2 nearly the same, 1 alike, 0 not, -1 where one is missing."""
    similarity = _alike(one, other)
    missing = [not a or not b for a, b in zip(one, other, strict=True)]
    return np.select([np.array(missing, bool), similarity >= NEAR, similarity >= ALIKE], [-1, 2, 1], 0).astype(np.int8)


def _alike(left: Texts, right: Texts) -> npt.NDArray[Any]:
    return cpdist(left, right, scorer=JaroWinkler.similarity)


def _edits(left: Texts, right: Texts) -> npt.NDArray[Any]:
    """Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment)."""
    return cpdist(left, right, scorer=OSA.distance, dtype=np.int32)


def _first(*cases: Flags) -> Levels:
    """1 where the first case holds, else 2 where the second does, and so on; the last level where none does."""
    return np.select(cases, range(1, len(cases) + 1), len(cases) + 1).astype(np.int8)


def _rest(flags: Flags, test: Callable[[str, str], bool], left: Texts, right: Texts) -> Flags:
    """Also true where a slower test holds, asked only where the flags are not set yet."""
    found = flags.copy()
    for index in np.flatnonzero(~flags).tolist():
        found[index] = test(left[index], right[index])
    return found


def _only(flags: Flags, test: Callable[[str, str], bool], left: Texts, right: Texts) -> Flags:
    """True where a slower test holds too, asked only where the flags are set."""
    found = flags.copy()
    for index in np.flatnonzero(flags).tolist():
        found[index] = test(left[index], right[index])
    return found


def _given(left: Texts, right: Texts) -> Levels:
    similarity = _alike(left, right)
    near = similarity >= NEAR
    alike = _rest(near | (similarity >= ALIKE) | _two_slips(left, right), _jumbled_or_short, left, right)
    return _first(near, alike, np.zeros_like(near))


def _middle(left: Texts, right: Texts) -> Levels:
    found = _given(left, right)
    return np.where(found == 4, 3, found).astype(np.int8)


def _family(left: Texts, right: Texts) -> Levels:
    similarity = _alike(left, right)
    near = similarity >= NEAR
    alike = _rest(near | (similarity >= ALIKE) | _two_slips(left, right), _jumbled_or_part, left, right)
    return _first(near, alike, np.zeros_like(near))


def _two_slips(left: Texts, right: Texts) -> Flags:
    """Two slips in a word of six letters or more, which Jaro-Winkler can miss."""
    long = np.minimum(_lengths(left), _lengths(right)) >= 6
    return (_edits(left, right) <= 2) & long


def _jumbled_or_short(one: str, other: str) -> bool:
    return _jumbled(one, other) or given_alike(one, other)


def _jumbled_or_part(one: str, other: str) -> bool:
    return _jumbled(one, other) or parts_of(one, other)


def _jumbled(one: str, other: str) -> bool:
    """The same letters in another order, which Jaro-Winkler can miss."""
    return len(one) == len(other) and sorted(one) == sorted(other)


def _whole(left: Texts, right: Texts, level: Callable[[str, str], int] = whole) -> Levels:
    """Names of several words. Where not even the best words agree, no words need to be brought together."""
    hopeless = cpdist(left, right, scorer=fuzz.token_set_ratio) < TOGETHER
    found = np.full(len(left), 5, np.int8)
    for index in np.flatnonzero(~hopeless).tolist():
        found[index] = level(left[index], right[index])
    return found


def _firm(left: Texts, right: Texts) -> Levels:
    return _whole(left, right, firm)


def _born(left: Texts, right: Texts) -> Levels:
    edits = _edits(left, right)
    (year, month, day), (other_year, other_month, other_day) = _parts(left), _parts(right)
    same = (year == other_year).astype(int) + (month == other_month) + (day == other_day)
    crossed = (year == other_year) & (month == other_day) & (day == other_month)
    vague = (month == 0) | (day == 0) | (other_month == 0) | (other_day == 0)
    unsaid = vague & (year == other_year) & ((month == other_month) | (month == 0) | (other_month == 0))
    # Who knows no more than a year often writes its first of January.
    first = ((month == 1) & (day == 1)) | ((other_month == 1) & (other_day == 1))
    unsaid |= first & (year == other_year)
    # Months of 30.44 days: a day more or less decides nothing here.
    days = np.abs((year - other_year) * 365.25 + (month - other_month) * 30.44 + (day - other_day))
    slip = ((edits <= 1) | crossed) & ~vague
    return _first(slip, ((same >= 2) & ~vague) | unsaid, (days <= 31) & ~vague, (year == other_year) | (days <= 366))


def _parts(values: Texts) -> tuple[npt.NDArray[np.int64], ...]:
    """Year, month and day of yyyymmdd."""
    numbers = np.array(values, np.int64)
    return numbers // 10_000, numbers // 100 % 100, numbers % 100


def _year(left: Texts, right: Texts) -> Levels:
    apart = np.abs(np.array(left, np.int64) - np.array(right, np.int64))
    return _first(apart == 1, (apart <= 3) | (_edits(left, right) <= 1) & (apart <= 30))


def _identifier(left: Texts, right: Texts) -> Levels:
    edits = _edits(left, right)
    long = np.minimum(_lengths(left), _lengths(right))
    return _first((edits <= 1) & (long >= 5), (edits <= 2) & (long >= 7))


def _email(left: Texts, right: Texts) -> Levels:
    heads = [[value.rpartition("@")[0] for value in side] for side in (left, right)]
    same = np.array([a == b and len(a) >= 5 for a, b in zip(*heads, strict=True)], bool)
    near = same | ((_edits(left, right) <= 2) & (np.minimum(_lengths(left), _lengths(right)) >= 10))
    # smith262 and smith267 are two people as often as one slip of the pen.
    near = _only(near, _no_other_number, *heads)
    whole = cpdist(left, right, scorer=OSA.normalized_similarity)
    return _first(near, (_alike(*heads) >= 0.88) | (whole >= 0.7))


def _phone(left: Texts, right: Texts) -> Levels:
    # A number that ends in the other is the same with a code before it.
    ends = [min(len(a), len(b)) >= 7 and (a.endswith(b) or b.endswith(a)) for a, b in zip(left, right, strict=True)]
    return _first(np.array(ends, bool) | (_edits(left, right) <= 1))


def _street(left: Texts, right: Texts) -> Levels:
    """As `_text`; but with another number in it, a street is only alike."""
    found = _text(left, right)
    near = found == 1
    found[near & ~_only(near, _no_other_number, left, right)] = 2
    return found


def _no_other_number(one: str, other: str) -> bool:
    """Not both have figures in them, or the same."""
    a, b = ("".join(filter(str.isdigit, value)) for value in (one, other))
    return not (a and b) or a == b


def _number(left: Texts, right: Texts) -> Levels:
    figures = [["".join(filter(str.isdigit, value)) for value in side] for side in (left, right)]
    same = [bool(a) and a == b for a, b in zip(*figures, strict=True)]
    slip = (_edits(left, right) <= 1) & (np.minimum(_lengths(left), _lengths(right)) >= 2)
    return _first(np.array(same, bool) | slip)


def _postcode(left: Texts, right: Texts) -> Levels:
    area = [a[:3] == b[:3] and min(len(a), len(b)) > 3 for a, b in zip(left, right, strict=True)]
    return _first(_edits(left, right) <= 1, np.array(area, bool))


def _category(left: Texts, right: Texts) -> Levels:
    """m and male are the same, and so are male and mael; f and male are not, nor are A12 and A13."""
    short = [a[0] == b[0] and min(len(a), len(b)) == 1 for a, b in zip(left, right, strict=True)]
    words = [len(a) >= 4 and len(b) >= 4 and (a + b).isalpha() for a, b in zip(left, right, strict=True)]
    slip = np.array(words, bool) & (_edits(left, right) <= 1)
    return np.where(np.array(short, bool) | slip, 0, 1).astype(np.int8)


def _text(left: Texts, right: Texts) -> Levels:
    similarity = _alike(left, right)
    order = cpdist(left, right, scorer=fuzz.token_sort_ratio)
    part = cpdist(left, right, scorer=fuzz.token_set_ratio)
    near = (similarity >= NEAR) | (order >= NEAR_RATIO)
    return _first(near, (similarity >= ALIKE) | (part >= NEAR_RATIO))


def _lengths(values: Texts) -> npt.NDArray[np.int64]:
    return np.array([len(value) for value in values], np.int64)


COMPARISONS: dict[Kind, Callable[[Texts, Texts], Levels]] = {
    Kind.GIVEN: _given,
    Kind.MIDDLE: _middle,
    Kind.FAMILY: _family,
    Kind.SUFFIX: _category,
    Kind.NAME: _whole,
    Kind.ORGANISATION: _firm,
    Kind.BIRTH: _born,
    Kind.YEAR: _year,
    Kind.IDENTIFIER: _identifier,
    Kind.EMAIL: _email,
    Kind.PHONE: _phone,
    Kind.STREET: _street,
    Kind.NUMBER: _number,
    Kind.POSTCODE: _postcode,
    Kind.CITY: _text,
    Kind.REGION: _text,
    Kind.CATEGORY: _category,
    Kind.TEXT: _text,
}
