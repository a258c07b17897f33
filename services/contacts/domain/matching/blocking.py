"""Which records are worth comparing: several keys a record, each made of what survives most slips of the pen.

Two records that are one customer's share at least one key almost always; two others seldom do. A key says: same
identifier, e-mail, phone or day of birth; or two of a name's words that sound alike; or one such word and the same
postcode, street, city, year or day of birth; or the same house.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import combinations

from services.contacts.domain.matching.kinds import Kind
from services.contacts.domain.matching.table import Field
from services.contacts.domain.matching.text import sound

MOST_WORDS = 4
"""Words of a name that take part; with more, keys would grow with the square."""
MOST_PLACES = 6
NAMES = (Kind.GIVEN, Kind.FAMILY, Kind.NAME, Kind.ORGANISATION)


def keys(fields: Sequence[Field], values: Sequence[str]) -> list[int]:
    """The distinct keys of a record, 63-bit numbers that are the same on every machine."""
    return list({number_of(key) for key in _keys(fields, values)})


def nameless_keys(fields: Sequence[Field], values: Sequence[str]) -> list[int]:
    """Keys by which a record without a name is found: a postcode, and two places, years or days together."""
    return list({number_of(key) for key in _nameless(fields, values)})


def lacks_a_name(fields: Sequence[Field], values: Sequence[str]) -> bool:
    """Whether a given or a family name is missing, or the whole one. Many have no middle name."""
    return any(one.kind in NAMES and not value for one, value in zip(fields, values, strict=True))


@lru_cache(maxsize=100_000)
def number_of(key: str) -> int:
    """63 bits, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest()) >> 1


def _keys(fields: Sequence[Field], values: Sequence[str]) -> Iterator[str]:
    said = [(one.kind, value) for one, value in zip(fields, values, strict=True) if value]
    words = list(dict.fromkeys(word for kind, value in said for word in _words(kind, value)))[: 2 * MOST_WORDS]
    places = list(dict.fromkeys(place for kind, value in said for place in _places(kind, value)))
    for kind, value in said:
        yield from _alone(kind, value)
    for one, other in combinations(sorted(words), 2):
        yield f"n{one}|{other}"
    for word in words:
        for place in places:
            yield f"w{word}|{place}"
    yield from _house(said)


def _nameless(fields: Sequence[Field], values: Sequence[str]) -> Iterator[str]:
    said = [(one.kind, value) for one, value in zip(fields, values, strict=True) if value]
    yield from (f"z{value}" for kind, value in said if kind is Kind.POSTCODE)
    places = dict.fromkeys(place for kind, value in said for place in _places(kind, value))
    yield from (f"t{one}|{other}" for one, other in combinations(list(places)[:MOST_PLACES], 2))


def _words(kind: Kind, value: str) -> Iterable[str]:
    """How the words of a name sound. A firm's numbers are words too."""
    if kind not in NAMES:
        return ()
    words = [word for word in value.partition("|")[0].split() if len(word) > 1]
    return [sound(word) or word for word in words[:MOST_WORDS]]


def _places(kind: Kind, value: str) -> Iterator[str]:
    """What, together with a word of the name, makes a key."""
    match kind:
        case Kind.BIRTH:
            yield f"y{value[:4]}"
            if not value.endswith("00"):
                yield f"d{_day(value)}"
        case Kind.YEAR | Kind.POSTCODE:
            yield f"{kind}{value}"
        case Kind.CITY | Kind.TEXT | Kind.STREET:
            words = [word for word in value.split() if word.isalpha()] or [value]
            yield f"{kind}{sound(max(words, key=len)) or value}"


def _alone(kind: Kind, value: str) -> Iterator[str]:
    """What is a key by itself."""
    match kind:
        case Kind.IDENTIFIER | Kind.PHONE | Kind.EMAIL:
            yield f"{kind}{value}"
            if kind is Kind.EMAIL and len(local := value.rpartition("@")[0]) >= 5:
                yield f"local{local}"
        case Kind.BIRTH if not value.endswith("00"):
            yield f"b{value[:4]}{_day(value)}"
        case Kind.NAME | Kind.ORGANISATION:
            yield from (f"o{word}" for word in value.partition("|")[0].split()[:MOST_WORDS] if len(word) >= 4)


def _day(value: str) -> str:
    """Day and month, whichever comes first."""
    return "".join(sorted((value[4:6], value[6:8])))


def _house(said: Sequence[tuple[Kind, str]]) -> Iterator[str]:
    of = dict(reversed(said))
    street, number, postcode = (of.get(kind, "") for kind in (Kind.STREET, Kind.NUMBER, Kind.POSTCODE))
    figures = number or "".join(filter(str.isdigit, street))
    words = [word for word in street.split() if word.isalpha()]
    if words and (figures or postcode):
        yield f"h{sound(max(words, key=len))}|{figures or postcode}"
    if figures and postcode:
        yield f"p{figures}|{postcode}"
