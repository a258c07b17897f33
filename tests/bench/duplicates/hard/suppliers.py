"""Suppliers as a group's companies know them: legal forms, abbreviations, branches at one address, daughters of one mother."""

from __future__ import annotations

import random

from tests.bench.duplicates.hard.dirt import dirty
from tests.bench.duplicates.hard.words import FAMILY, ROADS, STREETS, TOWNS
from tests.contacts.matching.people import Record, Register

FORMS = ("Ltd", "Limited", "GmbH", "Inc.", "LLC", "S.A.", "AG", "B.V.", "PLC", "")
TRADES = """
Engineering;Logistics;Software;Foods;Energy;Consulting;Medical Supplies;Printing;Textiles;Metal Works;Pharmaceuticals;International Trading;
Construction;Electrical Services;Transport;Packaging;Chemicals;Insurance Brokers;Holdings;Security
""".replace("\n", "").split(";")
SHORTER = {"International": "Intl", "Engineering": "Eng.", "Services": "Svcs", "Pharmaceuticals": "Pharma", "Construction": "Constr.",
           "Electrical": "Elec.", "Medical": "Med", "Transport": "Transp.", "Consulting": "Cons."}  # fmt: skip
GAPS = {"vat_reg": 0.45, "tel": 0.3, "web": 0.5, "dept": 0.8, "county": 0.3}


def suppliers(groups: int, seed: int) -> Register:
    dice = random.Random(seed)
    found = Register()
    for number in range(groups):
        stem = " & ".join(FAMILY.one(dice).title() for _ in range(dice.choice((1, 1, 1, 2))))
        home = _home(stem, dice)
        for place, trade in enumerate(dice.sample(TRADES, dice.choices((1, 2, 3), (75, 15, 10))[0])):
            at = home if dice.random() < 0.5 or not place else _home(stem, dice)
            firm = {
                "supplier": f"{stem} {trade}",
                "form": dice.choice(FORMS),
                "vat_reg": f"GB{dice.randint(10**8, 10**9 - 1)}",
                **at,
            }
            for _ in range(dice.choices((1, 2, 3, 5), (55, 25, 12, 8))[0]):
                found.add(dirty(_known(firm, dice), dice, GAPS, 0.035, nothing=0.1), f"{number}-{place}")
    return found.shuffled(dice)


def _home(stem: str, dice: random.Random) -> Record:
    town = TOWNS.one(dice)
    return {
        "address": f"{dice.randint(1, 300)} {STREETS.one(dice)} {dice.choice(ROADS)}",
        "town": town,
        "county": f"{town[:3]}shire",
        "pcode": f"{town[:2].upper()}{dice.randint(1, 40)} {dice.randint(1, 9)}{dice.choice('ABDEFGH')}{dice.choice('ABDEFGHJ')}",
        "tel": f"01{dice.randint(10**8, 10**9 - 1)}",
        "web": f"www.{stem.lower().replace(' & ', '')}.example",
    }


def _known(firm: Record, dice: random.Random) -> Record:
    """As one of the companies wrote it down."""
    words = firm["supplier"].split()
    if dice.random() < 0.2:
        words = [SHORTER.get(word, word) for word in words]
    form = firm["form"] if dice.random() < 0.7 else dice.choice(("", "Ltd", firm["form"].upper()))
    if dice.random() < 0.05:
        words = words[:1]
    name = " ".join(word for word in (*words, form) if word)
    if dice.random() < 0.1:
        name = name.replace("&", "and")
    found = {key: value for key, value in firm.items() if key != "form"} | {
        "supplier": name.upper() if dice.random() < 0.3 else name
    }
    if dice.random() < 0.1:
        found |= _home(firm["supplier"].split()[0], dice)
    return found | {"dept": dice.choice(("Accounts", "Sales", "")), "terms": dice.choice(("30", "60", "90")), "currency": dice.choice(("GBP", "EUR")),
                    "spend_ytd": f"{dice.lognormvariate(8, 2):.2f}"}  # fmt: skip
