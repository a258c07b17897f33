"""One register of voters at several dates: married names, moves, middle names come and go, age instead of a date of birth."""

from __future__ import annotations

import random

from tests.bench.duplicates.hard.dirt import dirty
from tests.bench.duplicates.hard.words import FAMILY, GIVEN, ROADS, STREETS, TOWNS
from tests.contacts.matching.people import Record, Register

YEARS = (2008, 2010, 2012, 2014, 2016, 2018)
GAPS = {"midl_name": 0.15, "phone_num": 0.5, "birth_place": 0.25, "name_sufx_cd": 0.2, "age": 0.02}


def voters(households: int, seed: int) -> Register:
    dice = random.Random(seed)
    found = Register()
    for number in range(households):
        for place, one in enumerate(_household(dice)):
            member = one
            first = dice.randrange(len(YEARS))
            for year in YEARS[first : first + dice.randint(1, 5)]:
                member = _later(member, dice)
                found.add(_written(member, year, dice), f"{number}-{place}")
    return found.shuffled(dice)


def _home(dice: random.Random) -> Record:
    town = TOWNS.one(dice)
    return {
        "res_street_address": f"{dice.randint(1, 2999)} {STREETS.one(dice)} {dice.choice(ROADS)}".upper(),
        "res_city_desc": town.upper(),
        "state_cd": "NC",
        "zip_code": str(27000 + sum(map(ord, town)) % 900),
        "phone_num": f"{dice.choice(('919', '336', '704'))}{dice.randint(2_000_000, 9_999_999)}",
    }


def _household(dice: random.Random) -> list[Record]:
    home, family = _home(dice), FAMILY.one(dice).upper()
    members = []
    for place in range(dice.choices((1, 2, 3, 4), (35, 35, 18, 12))[0]):
        sex = "MF"[place % 2] if place < 2 else dice.choice("MF")
        born = dice.randint(1930, 1970) if place < 2 else dice.randint(1970, 1990)
        members.append(
            {
                "last_name": family,
                "first_name": GIVEN.one(dice).upper(),
                "midl_name": GIVEN.one(dice).upper() if dice.random() < 0.8 else "",
                "name_sufx_cd": "",
                "sex_code": sex,
                "race_code": dice.choices("WBAO", (70, 20, 5, 5))[0],
                **home,
                "birth_place": dice.choice(("NC", "NC", "NC", "VA", "NY", "SC", "OC")),
                "party_cd": dice.choice(("DEM", "REP", "UNA")),
                "born": str(born),
                "registr_dt": f"{dice.randint(1, 12):02}/{dice.randint(1, 28):02}/{max(born + 18, dice.randint(1970, 2008))}",
            }
        )
    if len(members) > 2 and dice.random() < 0.25:
        members[0]["name_sufx_cd"] = "SR" if dice.random() < 0.5 else ""
        kept = {name: members[0][name] for name in ("first_name", "midl_name", "sex_code")}
        members[2] |= kept | {"name_sufx_cd": "JR"}
    return members


def _later(member: Record, dice: random.Random) -> Record:
    found = dict(member)
    if dice.random() < 0.15:
        found |= _home(dice)
    if found["sex_code"] == "F" and dice.random() < 0.06:
        found["midl_name"] = found["last_name"] if dice.random() < 0.5 else found["midl_name"]
        found["last_name"] = FAMILY.one(dice).upper()
    if dice.random() < 0.1:
        found["party_cd"] = dice.choice(("DEM", "REP", "UNA"))
    return found


def _written(member: Record, year: int, dice: random.Random) -> Record:
    found = {name: value for name, value in member.items() if name != "born"}
    found["age"] = str(year - int(member["born"]) - dice.randint(0, 1))
    if found["midl_name"] and dice.random() < 0.3:
        found["midl_name"] = found["midl_name"][0]
    found = dirty(found, dice, GAPS, 0.015)
    return found | {"voter_status": dice.choice(("ACTIVE", "ACTIVE", "INACTIVE")), "snapshot_dt": f"{year}-11-06"}
