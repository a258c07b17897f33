"""Persons of history as several sources tell of them: titles, given names come and go, years for dates, relatives of one name."""

from __future__ import annotations

import random

from tests.bench.duplicates.hard.dirt import day, dirty, iso, misdated
from tests.bench.duplicates.hard.words import FAMILY, GIVEN, OCCUPATIONS, SHORT, TOWNS
from tests.contacts.matching.people import Record, Register

PARTICLES = ("de ", "von ", "van der ", "le ", "fitz", "o'")
TITLES = ("sir", "dr", "rev", "lord", "captain", "dame", "professor")
GAPS = {"dob": 0.17, "birth_place": 0.2, "postcode_fake": 0.2, "occupation": 0.35, "gender": 0.1}
PARTS = ("first_and_surname", "first_name", "surname")


def history(people: int, seed: int, *, parts: bool) -> Register:
    """With `parts`, given and family name also have columns of their own."""
    dice = random.Random(seed)
    found = Register()
    before: Record = {}
    for number in range(people):
        person = _relative(before, dice) if before and dice.random() < 0.15 else _person(dice)
        for _ in range(dice.choices((1, 2, 4, 6, 8, 10, 12), (15, 20, 20, 15, 10, 10, 10))[0]):
            record = dirty(_told(person, dice), dice, GAPS, 0.07)
            found.add(_in_parts(record, dice) if parts else record, str(number))
        before = person
    return found.shuffled(dice)


def _person(dice: random.Random) -> Record:
    surname = FAMILY.one(dice)
    town = TOWNS.one(dice)
    return {
        "given": " ".join(GIVEN.one(dice) for _ in range(dice.choice((1, 1, 2, 2, 3)))),
        "surname": dice.choice(PARTICLES) + surname if dice.random() < 0.07 else surname,
        "title": dice.choice(TITLES) if dice.random() < 0.15 else "",
        "rank": f"{dice.randint(1, 7)}th baronet" if dice.random() < 0.04 else "",
        "dob": iso(day(dice, 1780, 1905) if dice.random() < 0.7 else (dice.randint(1780, 1905), 1, 1)),
        "birth_place": town.lower(),
        "postcode_fake": _postcode(town, dice),
        "gender": dice.choice(("male", "male", "male", "female")),
        "occupation": OCCUPATIONS.one(dice),
    }


def _postcode(town: str, dice: random.Random) -> str:
    return f"{town[:2].lower()}{sum(map(ord, town)) % 90 + 1} {dice.randint(1, 9)}{dice.choice('abdefgh')}{dice.choice('abdefgh')}"


def _relative(one: Record, dice: random.Random) -> Record:
    """A brother, or a son, who may have his father's name."""
    other = _person(dice)
    kept = ("surname", "birth_place", *(("given", "occupation") if dice.random() < 0.2 else ()))
    return other | {name: one[name] for name in kept}


def _told(person: Record, dice: random.Random) -> Record:
    """As one source tells of somebody."""
    given = person["given"].split()
    if len(given) > 1 and dice.random() < 0.4:
        given = given[:1]
    if len(given) > 1 and dice.random() < 0.08:
        given = given[1:]
    if dice.random() < 0.05:
        given[0] = given[0][0]
    elif dice.random() < 0.1:
        given[0] = SHORT.get(given[0], given[0])
    surname = person["surname"] if dice.random() > 0.03 else person["surname"].split()[-1]
    if person["gender"] == "female" and dice.random() < 0.15:
        surname = FAMILY.one(dice)
    words = [
        person["title"] if dice.random() < 0.6 else "",
        *given,
        surname,
        person["rank"] if dice.random() < 0.6 else "",
    ]
    if dice.random() < 0.02:
        words = [surname, *given]
    year, month, of_month = map(int, person["dob"].split("-"))
    born = (year, month, of_month) if dice.random() > 0.12 else misdated((year, month, of_month), dice)
    told = {name: person[name] for name in ("birth_place", "postcode_fake", "gender", "occupation")}
    if dice.random() < 0.15:
        told["postcode_fake"] = _postcode(person["birth_place"].title(), dice)
    if dice.random() < 0.1:
        told["occupation"] = OCCUPATIONS.one(dice)
    return {
        "full_name": " ".join(word for word in words if word),
        "dob": iso(born) if dice.random() > 0.03 else str(year),
        **told,
    }


def _in_parts(record: Record, dice: random.Random) -> Record:
    words = [word for word in record["full_name"].split() if word not in TITLES]
    first, last = (words[0], words[-1]) if words else ("", "")
    if dice.random() < 0.03:
        last = ""
    names = dict(zip(PARTS, (f"{first} {last}".strip(), first, last), strict=True))
    return {"full_name": record["full_name"], **names, **record}
