"""Makes up who carries the loyalty cards: names, addresses and, of some households, a second card. Run once, by hand.

    python demo/data/made_up/make_cards.py

The households' numbers and the times of their baskets are from the data; every name, date of birth, address and number is
drawn by a seeded generator, telephone numbers from those that are given to nobody. Only households that told the
grocer nothing of themselves are drawn. The same data give the same bytes.
"""

import csv
import gzip
import io
import random
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path


def words(text: str) -> list[str]:
    return text.split()


HERE = Path(__file__).parent
SEED = 2017
BEGINS = "2017-01-01 00:00:00"
FIRST_DAY, LAST_DAY = "2017-02-01", "2017-08-31"
"""Between which a second card is applied for: something is bought before, and something after."""
SECOND = 900_000
"""A second card's number is so much greater than its household's."""
BASKETS = 6
"""Of those who have bought so often, one in so many is known twice."""
TWICE, FAMILIES = 8, 12
AUTUMN = "2017-10-01"
"""Of those who have not bought since, all are: somebody of whom all is forgotten should have been two."""
GIVEN = words("""
    James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Richard Susan Joseph
    Jessica Thomas Sarah Charles Karen Daniel Nancy Matthew Lisa Anthony Betty Mark Sandra Steven Ashley Paul
    Emily Andrew Donna Joshua Michelle Kenneth Carol Kevin Amanda Brian Melissa George Deborah Timothy Stephanie
    Ronald Rebecca Jason Laura
""")
FAMILY = words("""
    Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson
    Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis
    Robinson Walker Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera
    Campbell Mitchell Carter Roberts Gomez Phillips Evans Turner Diaz Parker Cruz Edwards Collins Reyes Stewart
    Morris Morales Murphy Cook Rogers Gutierrez Ortiz Morgan Cooper Peterson Bailey Reed Kelly Howard Ramos Kim
    Cox Ward Richardson Watson Brooks Chavez Wood James Bennett Gray Mendoza Ruiz Hughes Price Alvarez Castillo
    Sanders Patel Myers Long Ross Foster Jimenez
""")
STREETS = words("Maple Oak Cedar Pine Elm Walnut Chestnut Washington Lincoln Jefferson Madison Monroe Adams Jackson")
KINDS = {"Street": "St", "Avenue": "Ave", "Road": "Rd", "Drive": "Dr"}
PLACES = tuple(
    (code, city)
    for city, codes in {
        "Springfield": "62701 62702 62703 62704",
        "Decatur": "62521 62522 62526",
        "Peoria": "61602 61603 61604 61614",
        "Champaign": "61820 61821 61822",
        "Bloomington": "61701 61704 61705",
    }.items()
    for code in codes.split()
)
AREAS = (217, 224, 309, 312, 331, 464, 618, 630, 708, 730, 773, 779, 815, 847, 861, 872)
COLUMNS = (
    "card",
    "household_id",
    "applied_at",
    "given",
    "family",
    "birthdate",
    "street",
    "postal_code",
    "city",
    "phone",
    "email",
)

Row = dict[str, str]
Basket = tuple[str, int]
"""When, and its number."""
Baskets = dict[str, list[Basket]]
"""By household."""


@dataclass(frozen=True)
class Person:
    """What somebody writes on the form."""

    given: str
    family: str
    birthdate: str
    street: str
    postal_code: str
    city: str
    phone: str
    email: str

    def row(self, card: int, household: str, applied_at: str) -> Row:
        return {"card": str(card), "household_id": household, "applied_at": applied_at, **vars(self)}


def read(name: str) -> list[Row]:
    with gzip.open(HERE.parent / f"{name}.csv.gz", "rt", newline="") as file:
        return list(csv.DictReader(file))


def baskets() -> Baskets:
    """When each household that told nothing bought what, in the order in which slices of the demo take households."""
    told = {row["household_id"] for row in read("demographics")}
    found: dict[str, set[Basket]] = {}
    for row in read("transactions"):
        if row["household_id"] not in told:
            found.setdefault(row["household_id"], set()).add((row["transaction_timestamp"], int(row["basket_id"])))
    return {name: sorted(found[name]) for name in sorted(found, key=lambda name: zlib.crc32(name.encode()))}


def person(chance: random.Random, number: int) -> Person:
    given, family = chance.choice(GIVEN), chance.choice(FAMILY)
    return Person(
        given,
        family,
        born(chance, 1935, 1998),
        street(chance),
        *chance.choice(PLACES),
        f"({AREAS[number // 100 % len(AREAS)]}) 555-01{number % 100:02d}",
        f"{given}.{family}{number}@example.org".lower(),
    )


def street(chance: random.Random) -> str:
    return f"{chance.randint(1, 2400)} {chance.choice(STREETS)} {chance.choice(list(KINDS))}"


def born(chance: random.Random, first: int, last: int) -> str:
    return (date(first, 1, 1) + timedelta(days=chance.randrange(365 * (last - first)))).isoformat()


def again(one: Person, chance: random.Random) -> Person:
    """The form in a hurry: no e-mail, often no telephone, something spelt otherwise; one in eight has moved."""
    short = replace(one, email="", phone=one.phone if chance.random() < 0.4 else "")
    match chance.randrange(8):
        case 0 | 1 | 2:
            return replace(short, family=slip(one.family, chance), street=abbreviated(one.street))
        case 3 | 4:
            return replace(short, given=slip(one.given, chance))
        case 5 | 6:
            return replace(short, street=abbreviated(one.street))
        case _:
            code, city = chance.choice(PLACES)
            return replace(short, street=street(chance), postal_code=code, city=city)


def slip(word: str, chance: random.Random) -> str:
    """Two letters swapped, one doubled or one left out, never the first."""
    at = chance.randrange(1, len(word) - 1)
    return chance.choice(
        (
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + word[at] + word[at:],
            word[:at] + word[at + 1 :],
        )
    )


def abbreviated(street: str) -> str:
    return " ".join(KINDS.get(word, word) for word in street.split())


def relative(one: Person, chance: random.Random, *, namesake: bool) -> Person:
    """Somebody else at the same address with the same telephone: a son of the same name, or who they live with."""
    given = one.given if namesake else chance.choice([name for name in GIVEN if name != one.given])
    year = int(one.birthdate[:4])
    birthdate = born(chance, year + 22, year + 34) if namesake else born(chance, year - 6, year + 7)
    return replace(one, given=given, birthdate=birthdate, email="")


def applied(bought: Sequence[Basket], chance: random.Random) -> str | None:
    """In the minute of a basket in the middle of those they bought, within the season, if the second card, which odd
    baskets then go on, is used at all.
    """
    middle = bought[len(bought) // 3 : len(bought) * 2 // 3]
    last = max((time for time, number in bought if number % 2), default="")
    fitting = [at for time, _ in middle if FIRST_DAY <= time <= LAST_DAY and (at := time[:17] + "59") < last]
    return chance.choice(fitting) if fitting else None


def cards(times: Baskets, chance: random.Random) -> Iterator[Row]:
    frequent = [name for name in times if len(times[name]) >= BASKETS]
    chosen = {*frequent[::TWICE], *(name for name in frequent if times[name][-1][0] < AUTUMN)}
    twice = {name: at for name in frequent if name in chosen and (at := applied(times[name], chance))}
    others = [name for name in times if name not in twice]
    number = 0
    for name, at in twice.items():
        one = person(chance, number := number + 1)
        yield one.row(int(name), name, BEGINS)
        yield again(one, chance).row(SECOND + int(name), name, at)
    for place in range(0, len(others) - 1, FAMILIES):
        one = person(chance, number := number + 1)
        yield one.row(int(others[place]), others[place], BEGINS)
        other = relative(one, chance, namesake=place % (3 * FAMILIES) == 0)
        yield other.row(int(others[place + 1]), others[place + 1], BEGINS)
        for alone in others[place + 2 : place + FAMILIES : 3]:
            yield person(chance, number := number + 1).row(int(alone), alone, BEGINS)


def write(rows: Iterable[Row]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(sorted(rows, key=lambda row: (row["applied_at"], int(row["card"]))))
    (HERE / "cards.csv.gz").write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))


if __name__ == "__main__":
    write(cards(baskets(), random.Random(SEED)))
