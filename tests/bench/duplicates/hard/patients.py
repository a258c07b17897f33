"""Patients of a hospital's three systems: heard, scanned and guessed values, dummies for what nobody asked."""

from __future__ import annotations

import random

from tests.bench.duplicates.hard.dirt import day, dirty, european, misdated
from tests.bench.duplicates.hard.words import FAMILY, GIVEN, ROADS, SHORT, STREETS, TOWNS
from tests.contacts.matching.people import Record, Register

GAPS = {
    "NHS No": 0.45,
    "Home Tel": 0.3,
    "Mob": 0.4,
    "Email Address": 0.5,
    "Addr Line 2": 0.5,
    "Next of kin": 0.4,
    "D.O.B.": 0.05,
}
DUMMIES = {
    "D.O.B.": ("01/01/1900", "31/12/9999", "01/01/1970"),
    "Home Tel": ("0000000000", "9999999999", "01234567890", "unknown"),
    "Mob": ("07000000000", "0000000000", "no mobile"),
    "Email Address": ("none@none.com", "noemail@hospital.example", "unknown", "n/a", "test@test.com"),
    "NHS No": ("0000000000", "9999999999", "TBC"),
    "Patient Forenames": ("BABY", "Unknown", "TEST", "Mr"),
    "Post Code": ("ZZ99 3VZ", "ZZ99 3VZ", "N/A"),
}


def patients(households: int, seed: int) -> Register:
    dice = random.Random(seed)
    found = Register()
    for number in range(households):
        for place, member in enumerate(_household(dice)):
            copies = dice.choices((1, 2, 3, 4), (55, 28, 12, 5))[0]
            for copy in range(copies):
                found.add(_registered(member if not copy else _later(member, dice), dice), f"{number}-{place}")
    return found.shuffled(dice)


def _home(dice: random.Random) -> Record:
    town = TOWNS.one(dice)
    flat = f"Flat {dice.randint(1, 40)}" if dice.random() < 0.2 else ""
    house = f"{dice.randint(1, 250)} {STREETS.one(dice)} {dice.choice(ROADS)}"
    return {
        "Addr Line 1": flat or house,
        "Addr Line 2": house if flat else dice.choice(("", town + " North")),
        "Town": town,
        "Post Code": f"{town[:2].upper()}{sum(map(ord, town)) % 40 + 1} {dice.randint(1, 9)}{dice.choice('ABDEFGH')}{dice.choice('ABDEFGHJ')}",
        "Home Tel": f"01{dice.randint(10**8, 10**9 - 1)}",
    }


def _household(dice: random.Random) -> list[Record]:
    home, family = _home(dice), FAMILY.one(dice).title()
    members = []
    for place in range(dice.choices((1, 2, 3, 4, 5), (30, 30, 18, 14, 8))[0]):
        given = GIVEN.one(dice).title()
        members.append(
            {
                "Patient Surname": family,
                "Patient Forenames": given if dice.random() < 0.6 else f"{given} {GIVEN.one(dice).title()}",
                "D.O.B.": european(day(dice, 1930, 1975) if place < 2 else day(dice, 1975, 2020)),
                "Sex": dice.choice("MF"),
                **home,
                "Mob": f"07{dice.randint(10**8, 10**9 - 1)}",
                "Email Address": f"{given}.{family}{dice.randint(1, 99)}@{dice.choice(('mail', 'post'))}.example".lower(),
                "NHS No": str(dice.randint(4 * 10**9, 8 * 10**9)),
                "Next of kin": f"{GIVEN.one(dice).title()} {family}",
            }
        )
    if len(members) > 3 and dice.random() < 0.1:
        members[3]["D.O.B."] = members[2]["D.O.B."]
    return members


def _later(member: Record, dice: random.Random) -> Record:
    found = dict(member)
    if dice.random() < 0.15:
        found |= _home(dice)
    if found["Sex"] == "F" and dice.random() < 0.06:
        found["Patient Surname"] = FAMILY.one(dice).title()
    if dice.random() < 0.12:
        found["Mob"] = f"07{dice.randint(10**8, 10**9 - 1)}"
    if dice.random() < 0.1:
        first = found["Patient Forenames"].split()[0].lower()
        found["Patient Forenames"] = SHORT.get(first, first[0]).title()
    elif dice.random() < 0.2:
        found["Patient Forenames"] = found["Patient Forenames"].split()[0]
    if dice.random() < 0.06:
        date = day_of(found["D.O.B."])
        found["D.O.B."] = european(misdated(date, dice))
    return found


def day_of(text: str) -> tuple[int, int, int]:
    of_month, month, year = map(int, text.split("/"))
    return year, month, of_month


def _registered(member: Record, dice: random.Random) -> Record:
    found = dirty(member, dice, GAPS, 0.05, nothing=0.2)
    for name, dummies in DUMMIES.items():
        if dice.random() < 0.04:
            found[name] = dice.choice(dummies)
    if dice.random() < 0.3:
        found["Patient Surname"] = found["Patient Surname"].upper()
    return {
        "Hospital No": f"H{dice.randint(10**6, 10**7 - 1)}",
        **found,
        "Registered": f"{dice.randint(2005, 2023)}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02} {dice.randint(8, 18):02}:{dice.randint(0, 59):02}",
        "GP Practice": f"P{dice.randint(1, 40):02}",
        "Ward Notes": dice.choice(
            ("", "", "see letter", "did not attend", "interpreter needed", f"ref {dice.randint(1, 99999)}")
        ),
    }
