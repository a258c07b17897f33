"""What a column holds by what is in it, where its name does not say: dates, numbers, names, addresses, categories."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from services.contacts.domain.matching.headers import says_nothing
from services.contacts.domain.matching.kinds import Kind
from services.contacts.domain.matching.text import folded, organisation
from services.contacts.domain.matching.values import canonical

SURE = 0.8
MOSTLY = 0.6
FIRMS = 0.12
"""Share of names with a legal form beyond which a column of names is one of firms'."""
LIFETIMES = 25
"""Years over which nine in ten dates of birth are spread at least; what happened in a business lies closer."""
FEW = 12
"""Different values, at most, of a category, but for slips of the pen."""
CALLED = 0.3
"""Share of e-mail addresses with a word of a column in them, from which on it is the name of whoever has the address."""
NUMBER = re.compile(r"[-+(]?\D?\s?\d[\d.,' ]*\D?\)?")
LONG_NUMBER = 7
"""Figures that a number has at least if it is one of somebody, and not of how much or how many."""
DIALLED = re.compile(r"[+(0][\d\s()./-]{7,}")
HOUSE = re.compile(r"\d+\s?[a-zA-Z]?(?:[-/]\d+)?[\s,]+[^\W\d]{2}.*|.*[^\W\d]{2}.*[\s,]\d+\s?[a-zA-Z]?(?:[-/]\d+)?")

Guess = tuple[Kind | None, str]
"""A kind, or None and why the column is not compared."""


def by_values(header: str, sample: Sequence[str], this_year: int | None, *, born_known: bool = False) -> Guess:
    """A column whose name says nothing. `born_known`: another one says when somebody was born."""
    if not sample:
        return None, "it is empty"
    if says_nothing(header):
        return None, "its name says nothing about who somebody is"
    if readable(Kind.BIRTH, sample, this_year) and all(len(value) >= 8 for value in sample[:50]):
        return _date(sample, this_year, born_known=born_known)
    if _share(bool(DIALLED.fullmatch(value)) for value in sample) >= SURE:
        return Kind.PHONE, ""
    distinct = len({folded(value) for value in sample})
    if distinct <= 1:
        return None, "all its values are alike"
    if distinct >= 0.99 * len(sample) and (amounts(sample) or all(" " not in value for value in sample)):
        return None, "each record has a value of its own"
    if amounts(sample):
        # A price or a count that differs must not speak against a match as an identifier does.
        return None, "it is a number whose meaning is not known (say it with --map identifier=COL)"
    if category(sample):
        return Kind.CATEGORY, ""
    if firms(sample):
        return Kind.ORGANISATION, ""
    if _share(bool(HOUSE.fullmatch(value)) for value in sample) >= MOSTLY and distinct > FEW * FEW:
        return Kind.STREET, ""
    return Kind.TEXT, ""


def _date(sample: Sequence[str], this_year: int | None, *, born_known: bool) -> Guess:
    years = sorted(int(born[:4]) for value in sample if (born := canonical(Kind.BIRTH, value, this_year=this_year)))
    if years[-1 - len(years) // 20] - years[len(years) // 20] < LIFETIMES:
        return None, "its dates are of too few years to be of birth"
    if born_known:
        return None, "it is a date whose meaning is not known (say it with --map birth=COL)"
    return Kind.BIRTH, ""


def readable(kind: Kind, sample: Sequence[str], this_year: int | None) -> bool:
    return _share(bool(canonical(kind, value, this_year=this_year)) for value in sample) >= 0.5


def numbers(sample: Sequence[str]) -> bool:
    """Whole ones."""
    return _share(bool(re.fullmatch(r"\d+(\.0*)?", value)) for value in sample) >= SURE


def amounts(sample: Sequence[str]) -> bool:
    """Numbers of whatever kind that are too short to be somebody's: 12.50, EUR -3, 1,200."""
    found = [value for value in sample if NUMBER.fullmatch(value)]
    whole = [value for value in found if value.isdecimal() and len(value) >= LONG_NUMBER]
    return len(found) >= SURE * len(sample) and len(whole) < MOSTLY * len(sample)


def category(sample: Sequence[str]) -> bool:
    """Few different values, of which many records have each, but for slips of the pen."""
    often = Counter(folded(value) for value in sample).most_common(FEW)
    return sum(count for _, count in often) >= 0.95 * len(sample) and len(sample) > 4 * len(often)


def firms(sample: Sequence[str]) -> bool:
    return _share(bool(organisation(value)[1]) for value in sample) >= FIRMS


def lettered(sample: Sequence[str]) -> bool:
    """Most values have letters and no figures in them, as names have."""
    return _share(any(map(str.isalpha, value)) and not any(map(str.isdigit, value)) for value in sample) >= MOSTLY


def several_words(sample: Sequence[str]) -> bool:
    """Most values have two to five words without figures: a given and a family name."""
    return lettered(sample) and _share(2 <= len(folded(value).split()) <= 5 for value in sample) >= MOSTLY


def called_by(values: Sequence[str], emails: Sequence[str]) -> bool:
    """Whether the e-mail addresses beside them are often made of these values' words, as they are of people's names."""
    both = [(folded(value).split(), mail.partition("@")[0].lower()) for value, mail in zip(values, emails, strict=True) if value.strip() and "@" in mail]  # fmt: skip
    return len(both) >= 20 and _share(any(len(word) >= 3 and word in mail for word in words) for words, mail in both) >= CALLED  # fmt: skip


def day_first(sample: Sequence[str]) -> bool:
    """Whether dates begin with the day: unless a second number is oftener too large for a month than a first."""
    parts = [re.findall(r"\d+", value) for value in sample]
    short = [part for part in parts if len(part) >= 3 and len(part[0]) <= 2 and len(part[1]) <= 2]
    return sum(int(part[0]) > 12 for part in short) >= sum(int(part[1]) > 12 for part in short)


def _share(flags: Iterable[bool]) -> float:
    found = list(flags)
    return sum(found) / max(len(found), 1)
