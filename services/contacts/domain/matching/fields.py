"""What the columns of a file hold: known by their names in several languages, else by what is in them. A map overrules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from services.contacts.domain.matching import contents
from services.contacts.domain.matching.contents import SURE, Guess
from services.contacts.domain.matching.headers import NOT_COMPARED, by_name, by_role, plain
from services.contacts.domain.matching.kinds import ADDRESS, NAMES, Kind
from services.contacts.domain.matching.table import Field
from services.contacts.domain.matching.text import folded

SAMPLE = 2_000
LIKE_EACH_OTHER = 0.95
SEVERAL = 1.5
"""Words that a column has on average if it is put together from others."""
PUT_TOGETHER = (*NAMES, *ADDRESS, Kind.TEXT)
CATEGORIES = 300
"""Different values beyond which a title is a book's and not a person's; there are 250 countries."""
MAILED = 0.5
"""Share of values with an at sign in them, from which on a column is one of e-mail addresses."""
MISSED = 0.2
"""Share of full names beyond which given and family names are too often missing beside them to stand for them."""


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
    samples = {
        name: [value.strip() for value in values if value and value.strip()][:SAMPLE]
        for name, values in columns.items()
        if name not in never
    }
    born_known = Kind.BIRTH in said.values() or any(
        by_name(plain(name), folded(name).split()) in {Kind.BIRTH, Kind.YEAR} for name in samples
    )
    for name, sample in samples.items():
        if name in said:
            kind, why = said[name], "left out by the map"
        else:
            kind, why = _guess(name, sample, this_year, born_known=born_known)
        if kind is None:
            left_out[name] = why
        elif not sample:
            left_out[name] = "it is empty"
        else:
            fields.append(Field(name, kind, contents.day_first(sample) if kind is Kind.BIRTH else True, this_year))
    fields = _named_by_mail(fields, columns)
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


def _guess(name: str, sample: Sequence[str], this_year: int | None, *, born_known: bool) -> Guess:
    header = plain(name)
    if sum("@" in value for value in sample) >= MAILED * len(sample) > 0:
        return Kind.EMAIL, ""
    if NOT_COMPARED.match(header):
        return None, "its name says that it numbers or groups records"
    kind = by_name(header, folded(name).split())
    if kind is None and by_role(header) and contents.several_words(sample):
        kind = Kind.NAME
    if kind in {Kind.NAME, Kind.FAMILY} and ("name" in header or by_role(header)) and contents.firms(sample):
        return Kind.ORGANISATION, ""
    kind = _believed(kind, sample, this_year) if sample else kind
    return (kind, "") if kind is not None else contents.by_values(header, sample, this_year, born_known=born_known)


def _believed(kind: Kind | None, sample: Sequence[str], this_year: int | None) -> Kind | None:
    """What a column's name says, as far as what is in it agrees."""
    if kind is Kind.BIRTH and not contents.readable(kind, sample, this_year):
        kind = Kind.YEAR if contents.readable(Kind.YEAR, sample, this_year) else Kind.TEXT
    if kind is Kind.YEAR and not contents.numbers(sample):
        return Kind.TEXT
    if kind is Kind.CATEGORY and len({folded(value) for value in sample}) > CATEGORIES:
        return Kind.TEXT
    if kind in {Kind.EMAIL, Kind.PHONE} and not contents.readable(kind, sample, this_year):
        return None
    if kind in {Kind.NAME, Kind.ORGANISATION, Kind.GIVEN, Kind.FAMILY} and contents.numbers(sample):
        return None
    if kind is Kind.NAME and contents.category(sample):
        return Kind.CATEGORY
    return kind


def _named_by_mail(fields: Sequence[Field], columns: Mapping[str, Sequence[str]]) -> list[Field]:
    """Columns of texts of which the e-mail addresses are made are names, if nothing else is."""
    mails = [one for one in fields if one.kind is Kind.EMAIL]
    if not mails or any(one.kind in NAMES for one in fields):
        return list(fields)
    emails = columns[mails[0].name][:SAMPLE]

    def named(one: Field) -> bool:
        values = columns[one.name][:SAMPLE]
        return (
            one.kind is Kind.TEXT
            and contents.several_words([v for v in values if v.strip()])
            and contents.called_by(values, emails)
        )

    return [replace(one, kind=Kind.NAME) if named(one) else one for one in fields]


def _without_repetitions(
    fields: list[Field], columns: Mapping[str, Sequence[str]], left_out: dict[str, str], said: frozenset[str]
) -> list[Field]:
    """Two columns that say the same would count its evidence twice."""
    kinds = {one.kind for one in fields}
    gone: dict[str, str] = {}
    for one in fields:
        if one.kind is Kind.NAME and {Kind.GIVEN, Kind.FAMILY} <= kinds and one.name not in said:
            parts = [other.name for other in fields if other.kind in {Kind.GIVEN, Kind.FAMILY}]
            if said.isdisjoint(parts) and _missed(columns[one.name], [columns[part] for part in parts]) > MISSED:
                gone |= dict.fromkeys(parts, f"{one.name} says it more often")
            else:
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


def _missed(whole: Sequence[str], parts: Sequence[Sequence[str]]) -> float:
    """Of what is told in the whole, the share of which no part tells anything."""
    told = [place for place, text in enumerate(whole[: 10 * SAMPLE]) if text.strip()]
    return sum(not any(part[place].strip() for part in parts) for place in told) / max(len(told), 1)


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
