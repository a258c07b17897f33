"""A field's text as the value that is compared: a plain string in the kind's own canonical form, empty if it says nothing."""

import re
from collections.abc import Callable
from functools import lru_cache

from services.contacts.domain.matching.kinds import Kind
from services.contacts.domain.matching.text import compact, digits, folded, named, organisation

LONGEST = 300
"""Characters of a value that are looked at. Longer ones are notes, and comparing costs their length squared."""
EARLIEST = 1800

STREET_WORDS = {
    "st": "street", "str": "street", "rd": "road", "ave": "avenue", "av": "avenue", "ln": "lane", "dr": "drive", "ct": "court",
    "pl": "place", "cres": "crescent", "crt": "court", "cl": "close", "blvd": "boulevard", "bd": "boulevard", "hwy": "highway",
    "sq": "square", "tce": "terrace", "ter": "terrace", "pde": "parade", "pkwy": "parkway", "cct": "circuit", "apt": "apartment",
    "strasse": "street", "straat": "street", "pl.": "place",
}  # fmt: skip
MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan januar january janvier", "feb februar february fevrier", "mar march marz mars mrz", "apr april avril",
         "may mai", "jun june juni juin", "jul july juli juillet", "aug august aout", "sep sept september septembre",
         "oct okt october oktober octobre", "nov november novembre", "dec dez december dezember decembre"), 1)
    for name in names.split()
}  # fmt: skip
NUMBERS = re.compile(r"\d+|[a-z]+")


def canonical(kind: Kind, text: str, *, day_first: bool = True, this_year: int | None = None) -> str:
    """The value of a text. `day_first` decides about dates such as 03/04/1980, `this_year` about those of two figures for the year,
    which without it say nothing.
    """
    text = text.strip()[:LONGEST]
    if not text:
        return ""
    if kind is Kind.BIRTH:
        return born(text, day_first=day_first, this_year=this_year)
    return READERS.get(kind, folded)(text)


@lru_cache(maxsize=100_000)
def born(text: str, *, day_first: bool = True, this_year: int | None = None) -> str:
    """A date as yyyymmdd, zeros for what is not said; empty if it is none.

    >>> born("1971-06-24"), born("24.6.1971"), born("19710624"), born("24 Jun 1971"), born("1971")
    ('19710624', '19710624', '19710624', '19710624', '19710000')
    """
    text = _whole(text.split("T", maxsplit=1)[0].split(" 00:", maxsplit=1)[0])
    parts = NUMBERS.findall(folded(text))
    if len(parts) == 1 and len(parts[0]) in {6, 8}:
        found = parts[0]
        # Some programs write numbers with the century last: 24061971.
        shapes = ((found[:4], found[4:6], found[6:8]), (found[4:8], found[2:4], found[:2]))
        return next((said for shape in shapes if (said := _date(*shape))), "")
    if len(parts) == 1 and len(parts[0]) == 4:
        return _date(parts[0], "0", "0")
    if len(parts) == 2:
        year, month = (parts[0], parts[1]) if len(parts[0]) == 4 else (parts[1], parts[0])
        return _date(_in_full(year, this_year), month, "0")
    if len(parts) < 3:
        return ""
    first, second, third = parts[:3]
    if len(first) == 4 and first.isdigit():
        return _date(first, second, third) or _date(first, third, second)
    year = _in_full(third, this_year)
    if first in MONTHS:
        return _date(year, first, second)
    day, month = (first, second) if day_first else (second, first)
    return _date(year, month, day) or _date(year, day, month)


def _in_full(year: str, this_year: int | None) -> str:
    """Customers are born, not about to be: two figures are of this century only while they are past."""
    if len(year) != 2 or not year.isdecimal() or this_year is None:
        return year
    century = this_year // 100 if int(year) <= this_year % 100 else this_year // 100 - 1
    return f"{century}{year}"


def _date(year: str, month: str, day: str) -> str:
    month = str(MONTHS.get(month, month))
    if not (year.isdecimal() and month.isdecimal() and (day or "0").isdecimal()) or len(year) != 4:
        return ""
    y, m, d = int(year), int(month), int(day or 0)
    if not EARLIEST <= y <= 2100 or m > 12 or d > 31:
        return ""
    return f"{y:04}{m:02}{d:02}"


def email(text: str) -> str:
    """Lower case, without a tag behind a plus; empty without an at sign in the middle."""
    local, at, domain = text.strip().strip("<>;,").lower().removeprefix("mailto:").rpartition("@")
    local = local.split("+")[0]
    if not (at and local and domain) or not folded(local):
        return ""
    return f"{local}@{domain}"


def phone(text: str) -> str:
    """The last nine digits, so that country codes and leading zeros do not matter; empty below six or all alike."""
    number = digits(text.split("ext", maxsplit=1)[0].split("x", maxsplit=1)[0]).lstrip("0")[-9:].lstrip("0")
    return number if len(number) >= 6 and len(set(number)) > 1 else ""


def identifier(text: str) -> str:
    """Letters and digits only; empty where all are alike (0000000)."""
    value = compact(_whole(text))
    return value if len(set(value)) > 1 else ""


def street(text: str) -> str:
    words = folded(text).replace("strasse", " str").split()
    # German streets carry their kind at the end of one word: Hauptstr.
    parts = [
        part for word in words for part in ((word[:-3], "str") if len(word) > 5 and word.endswith("str") else (word,))
    ]
    return " ".join(STREET_WORDS.get(part, part) for part in parts)


def firm(text: str) -> str:
    """The name without its legal form, and the form behind a bar."""
    name, form = organisation(text)
    return f"{name}|{form}" if form else name


def year(text: str) -> str:
    found = digits(_whole(text))
    return found.lstrip("0")[:4]


def number(text: str) -> str:
    return compact(_whole(text)).lstrip("0")


def _whole(text: str) -> str:
    """Numbers that a spreadsheet or a data frame wrote as 4223.0."""
    head, dot, tail = text.strip().partition(".")
    return head if dot and head.isdecimal() and not tail.strip("0") else text


READERS: dict[Kind, Callable[[str], str]] = {
    Kind.GIVEN: named,
    Kind.NAME: named,
    Kind.EMAIL: email,
    Kind.PHONE: phone,
    Kind.IDENTIFIER: identifier,
    Kind.ORGANISATION: firm,
    Kind.YEAR: year,
    Kind.NUMBER: number,
    Kind.POSTCODE: number,
    Kind.STREET: street,
}
