"""What the columns of a file hold: known by their names in several languages, else by what is in them. A map overrules."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from services.contacts.domain.matching.headers import NOT_COMPARED, by_name, plain, says_nothing
from services.contacts.domain.matching.kinds import ADDRESS, NAMES, Kind
from services.contacts.domain.matching.table import Field
from services.contacts.domain.matching.text import folded, organisation
from services.contacts.domain.matching.values import canonical

SAMPLE = 2_000
SURE = 0.8
FIRMS = 0.12
"""Share of names with a legal form beyond which a column of names is one of firms'."""
LIKE_EACH_OTHER = 0.95
SEVERAL = 1.5
"""Words that a column has on average if it is put together from others."""
PUT_TOGETHER = (*NAMES, *ADDRESS, Kind.TEXT)
LIFETIMES = 25
"""Years over which nine in ten dates of birth are spread at least; what happened in a business lies closer."""
CATEGORIES = 300
"""Different values beyond which a title is a book's and not a person's; there are 250 countries."""


class BadMap(ValueError):
    """A mapping names a column or a kind that does not exist."""


@dataclass(frozen=True)
class Chosen:
    """Fields to compare, and of each column that is not compared, why."""

    fields: tuple[Field, ...]
    left_out: Mapping[str, str]


def understand(
    columns: Mapping[str, Sequence[str]],
    mapped: Mapping[str, str] | None = None,
    never: Sequence[str] = (),
    this_year: int | None = None,
) -> Chosen:
    """Fields of a file from its columns' names and (a sample of) their values. `mapped` says columns by
    kind (`family=nachname`): what it names is not guessed. `this_year` as in `Field`. Raises BadMap.
    """
    said = _mapped(mapped or {}, columns)
    fields: list[Field] = []
    left_out: dict[str, str] = {}
    for name, values in columns.items():
        if name in never:
            continue
        sample = [value.strip() for value in values if value and value.strip()][:SAMPLE]
        kind, why = (said[name], "left out by the map") if name in said else _guess(name, sample, this_year)
        if kind is None:
            left_out[name] = why
        elif not sample:
            left_out[name] = "it is empty"
        else:
            fields.append(Field(name, kind, _day_first(sample) if kind is Kind.BIRTH else True, this_year))
    kept = _without_repetitions(fields, columns, left_out, frozenset(said))
    return Chosen(tuple(kept), left_out)


KINDS = {"".join(folded(kind).split()): kind for kind in Kind} | {
    "given": Kind.GIVEN, "first": Kind.GIVEN, "middle": Kind.MIDDLE, "family": Kind.FAMILY, "last": Kind.FAMILY, "birth": Kind.BIRTH,
    "dob": Kind.BIRTH, "born": Kind.BIRTH, "year": Kind.YEAR, "id": Kind.IDENTIFIER, "number": Kind.NUMBER, "suffix": Kind.SUFFIX,
    "zip": Kind.POSTCODE, "company": Kind.ORGANISATION, "address": Kind.STREET, "state": Kind.REGION,
}  # fmt: skip
IGNORE = "ignore"


def _mapped(mapped: Mapping[str, str], columns: Mapping[str, Sequence[str]]) -> dict[str, Kind | None]:
    """Kind by column, under any name that a column of the kind may have. Several columns of one kind are said with commas:
    `phone=home,mobile`.
    """
    found: dict[str, Kind | None] = {}
    for word, names in mapped.items():
        key = "".join(folded(word).split())
        kind = KINDS.get(key) or by_name(key)
        if kind is None and key != IGNORE:
            raise BadMap(
                f"--map {word}=...: there is no kind of field {word!r}; there are {', '.join(kinds_told())}, {IGNORE}"
            )
        for name in names.split(","):
            if name not in columns:
                raise BadMap(
                    f"--map {word}={names}: the file has no column {name!r}; it has {', '.join(map(repr, columns))}"
                )
            # Whoever says "id" of a column in which no two records agree means the number of the record.
            numbered = key == "id" and len(set(columns[name])) == len(columns[name])
            found[name] = None if numbered else kind
    return found


def kinds_told() -> list[str]:
    """What `--map` may say, each kind once in its shortest form."""
    shortest: dict[Kind, str] = {}
    for word, kind in KINDS.items():
        if kind not in shortest or len(word) < len(shortest[kind]):
            shortest[kind] = word
    return sorted(shortest.values())


def _guess(name: str, sample: Sequence[str], this_year: int | None) -> tuple[Kind | None, str]:
    header = plain(name)
    if sum("@" in value for value in sample) >= SURE * len(sample) > 0:
        return Kind.EMAIL, ""
    if NOT_COMPARED.match(header):
        return None, "its name says that it numbers or groups records"
    kind = by_name(header)
    if kind in {Kind.NAME, Kind.FAMILY} and "name" in header and _firms(sample):
        return Kind.ORGANISATION, ""
    if kind is Kind.BIRTH and not _readable(Kind.BIRTH, sample, this_year):
        kind = Kind.YEAR if _readable(Kind.YEAR, sample, this_year) else Kind.TEXT
    if kind is Kind.YEAR and not _numbers(sample):
        kind = Kind.TEXT
    if kind is Kind.CATEGORY and len({folded(value) for value in sample}) > CATEGORIES:
        kind = Kind.TEXT
    if kind in {Kind.EMAIL, Kind.PHONE} and not _readable(kind, sample, this_year):
        kind = None
    if kind is not None:
        return kind, ""
    return _by_values(header, sample, this_year)


def _by_values(header: str, sample: Sequence[str], this_year: int | None) -> tuple[Kind | None, str]:
    """A column whose name says nothing."""
    if not sample:
        return None, "it is empty"
    if says_nothing(header):
        return None, "its name says nothing about who somebody is"
    if _readable(Kind.BIRTH, sample, this_year) and all(len(value) >= 8 for value in sample[:50]):
        years = sorted(int(born[:4]) for value in sample if (born := canonical(Kind.BIRTH, value, this_year=this_year)))
        spread = years[-1 - len(years) // 20] - years[len(years) // 20]
        return (Kind.BIRTH, "") if spread >= LIFETIMES else (None, "its dates are of too few years to be of birth")
    if sum(bool(re.fullmatch(r"[+(0][\d\s()./-]{7,}", value)) for value in sample) >= SURE * len(sample):
        return Kind.PHONE, ""
    distinct = len({folded(value) for value in sample})
    if distinct <= 1:
        return None, "all its values are alike"
    if distinct >= 0.99 * len(sample) and (_numbers(sample) or all(" " not in value for value in sample)):
        return None, "each record has a value of its own"
    if _numbers(sample):
        # A price or a count that differs must not speak against a match as an identifier does.
        return None, "it is a number whose meaning is not known (say it with --map identifier=COL)"
    if distinct <= 12 and len(sample) > 4 * distinct:
        return Kind.CATEGORY, ""
    if _firms(sample):
        return Kind.ORGANISATION, ""
    return Kind.TEXT, ""


def _readable(kind: Kind, sample: Sequence[str], this_year: int | None) -> bool:
    return sum(bool(canonical(kind, value, this_year=this_year)) for value in sample) >= 0.5 * len(sample)


def _numbers(sample: Sequence[str]) -> bool:
    return sum(bool(re.fullmatch(r"\d+(\.0*)?", value)) for value in sample) >= SURE * len(sample)


def _firms(sample: Sequence[str]) -> bool:
    return sum(bool(organisation(value)[1]) for value in sample) >= FIRMS * len(sample) > 0


def _day_first(sample: Sequence[str]) -> bool:
    """Whether dates begin with the day: unless a second number is no month."""
    parts = [re.findall(r"\d+", value) for value in sample]
    second = max(
        (int(part[1]) for part in parts if len(part) >= 3 and len(part[0]) <= 2 and len(part[1]) <= 2), default=0
    )
    return second <= 12


def _without_repetitions(
    fields: list[Field], columns: Mapping[str, Sequence[str]], left_out: dict[str, str], said: frozenset[str]
) -> list[Field]:
    """Two columns that say the same would count its evidence twice."""
    kinds = {one.kind for one in fields}
    gone: dict[str, str] = {}
    for one in fields:
        if one.kind is Kind.NAME and {Kind.GIVEN, Kind.FAMILY} <= kinds and one.name not in said:
            gone[one.name] = "given and family name say it already"
        if one.kind is Kind.YEAR and Kind.BIRTH in kinds and one.name not in said:
            gone[one.name] = "the date of birth says it already"
    for one, other in combinations(fields, 2):
        if gone.keys() & {one.name, other.name} or other.name in said:
            continue
        if _same(one, columns[one.name], replace(other, kind=one.kind), columns[other.name]):
            gone[other.name] = f"{one.name} says it already"
    for name in _put_together([one for one in fields if one.name not in gone], columns):
        if name not in said:
            gone[name] = "other columns say it already"
    left_out.update(gone)
    return [one for one in fields if one.name not in gone]


def _same(one: Field, values: Sequence[str], other: Field, others: Sequence[str]) -> bool:
    both = [
        (a, b)
        for a, b in zip(values[: 10 * SAMPLE], others[: 10 * SAMPLE], strict=True)
        if a and b and a.strip() and b.strip()
    ][:SAMPLE]
    if len(both) < 20:
        return False
    same = sum((read := one.value(a)) != "" and read == other.value(b) for a, b in both)
    return same >= LIKE_EACH_OTHER * len(both)


def _put_together(fields: Sequence[Field], columns: Mapping[str, Sequence[str]]) -> list[str]:
    """Columns of several words that are put together from others: a full name, a whole address. Those of most words first,
    so that it is these and not their parts.
    """
    words = {
        one.name: [set(one.value(text).replace("|", " ").split()) for text in columns[one.name][:SAMPLE]]
        for one in fields
        if one.kind in PUT_TOGETHER
    }
    said = {name: [found for found in of if found] for name, of in words.items()}
    many = {name: sum(map(len, of)) / max(len(of), 1) for name, of in said.items()}
    gone: list[str] = []
    for name in sorted(many, key=lambda name: -many[name]):
        others = [of for other, of in words.items() if other not in {name, *gone}]
        rows = [row for row, found in enumerate(words[name]) if found]
        told = [words[name][row] <= set().union(*(of[row] for of in others)) for row in rows]
        if many[name] >= SEVERAL and len(rows) >= 20 and sum(told) >= SURE * len(rows):
            gone.append(name)
    return gone
