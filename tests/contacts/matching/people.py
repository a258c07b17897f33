"""Registers that never were, with what makes duplicates hard: households, twins, fathers and sons of one name, moves, marriages,
short names, slips of the pen, gaps; and firms with branches. A seed decides everything."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

Record = dict[str, str]

GIVEN_TEXT = """
james mary john patricia robert jennifer michael linda william elizabeth david barbara richard susan joseph jessica thomas
sarah charles karen daniel nancy matthew lisa anthony betty mark margaret donald sandra steven ashley paul kimberly andrew
emily joshua donna kenneth michelle kevin carol brian amanda george dorothy edward melissa ronald deborah timothy stephanie
anna hannah oscar felix mohammed fatima wei ying olga dmitri ingrid lars pierre amelie jose carmen giulia marco yusuf aylin
priya arjun siobhan niamh
"""
GIVEN = GIVEN_TEXT.split()
FAMILY_TEXT = """
smith johnson williams brown jones garcia miller davis rodriguez martinez hernandez lopez gonzalez wilson anderson thomas
taylor moore jackson martin lee perez thompson white harris sanchez clark ramirez lewis robinson walker young allen king
wright scott torres nguyen hill flores green adams nelson baker hall rivera campbell mitchell carter roberts muller schmidt
schneider fischer weber meyer wagner becker schulz hoffmann ivanov petrov novak kowalski rossi bianchi dubois moreau jensen
olsen okafor khan patel chen
"""
FAMILY = FAMILY_TEXT.split()
STREETS_TEXT = """
high main church park station mill victoria king queen bridge school green london chapel north hill oak maple cedar
"""
STREETS = STREETS_TEXT.split()
ROADS = ("street", "road", "lane", "avenue")
CITIES = ("london", "leeds", "york", "bath", "derby", "hull", "exeter", "lincoln")
SHORT = {
    "james": "jim",
    "robert": "bob",
    "william": "bill",
    "richard": "dick",
    "elizabeth": "liz",
    "margaret": "peggy",
    "edward": "ted",
}
SYLLABLES_TEXT = """
ka lo mi ren dor vel ta shi bra no fen gul par sta wick ham ton ley bur gate wold hurst
"""
SYLLABLES = SYLLABLES_TEXT.split()
BRANCHES_TEXT = """
bau logistik software foods energy consulting medical print travel textil metall optik pharma garten
"""
BRANCHES = BRANCHES_TEXT.split()
FORMS = ("gmbh", "ltd", "inc", "ag", "llc", "s.a.", "")


@dataclass
class Register:
    records: list[Record] = field(default_factory=list)
    truth: list[str] = field(default_factory=list)

    def add(self, record: Record, label: str) -> None:
        self.records.append(record)
        self.truth.append(label)

    def shuffled(self, dice: random.Random) -> Register:
        order = list(range(len(self.records)))
        dice.shuffle(order)
        return Register([self.records[place] for place in order], [self.truth[place] for place in order])


def people(households: int, seed: int, duplicated: float = 0.3, slips: float = 0.08) -> Register:
    """Families of one to five; a share of their members has one to three further records."""
    dice = random.Random(seed)
    found = Register()
    for number in range(households):
        for place, member in enumerate(_family(dice)):
            label = f"{number}-{place}"
            found.add(_written(member, dice, slips / 3), label)
            for _ in range(dice.randint(1, 3) if dice.random() < duplicated else 0):
                found.add(_written(_later(member, dice), dice, slips), label)
    return found.shuffled(dice)


def _zipf(names: list[str], dice: random.Random) -> str:
    """One of the names, the first far more often; one time in three a rare one of syllables."""
    if dice.random() < 0.33:
        return "".join(dice.choice(SYLLABLES) for _ in range(dice.randint(2, 3)))
    return dice.choices(names, [1 / (place + 5) for place in range(len(names))])[0]


def _family(dice: random.Random) -> list[Record]:
    city = dice.choice(CITIES)
    shared = {
        "family": _zipf(FAMILY, dice),
        "street": f"{dice.choice(STREETS)} {dice.choice(ROADS)}",
        "number": str(dice.randint(1, 180)),
        "postcode": f"{city[:2]}{dice.randint(1, 40)} {dice.randint(1, 9)}{dice.choice('abdefghj')}{dice.choice('abdefghj')}",
        "city": city,
        "phone": f"0{dice.randint(10**8, 10**9 - 1)}",
    }
    size = dice.choices((1, 2, 3, 4, 5), (35, 30, 15, 14, 6))[0]
    members = [_person(shared, dice, 1940 if place < 2 else 1985) for place in range(size)]
    if size >= 4 and dice.random() < 0.15:  # far more twins than there are, so that they tell
        members[3]["birth"] = members[2]["birth"]
    if size >= 3 and dice.random() < 0.03:
        members[2]["given"] = members[0]["given"]
    if size >= 2 and dice.random() < 0.2:
        members[1]["email"] = members[0]["email"]
    return members


def _person(shared: Record, dice: random.Random, born: int) -> Record:
    given = _zipf(GIVEN, dice)
    birth = f"{born + dice.randint(0, 30)}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}"
    email = f"{given}.{shared['family']}{dice.randint(1, 999)}@{dice.choice(('mail', 'post', 'web'))}.example"
    return {"given": given, **shared, "birth": birth, "email": email}


def _later(member: Record, dice: random.Random) -> Record:
    """The same person some years on."""
    found = dict(member)
    if dice.random() < 0.12:
        moved = _family(dice)[0]
        found |= {name: moved[name] for name in ("street", "number", "postcode", "city", "phone")}
    if dice.random() < 0.05:
        found["family"] = _zipf(FAMILY, dice)
    if dice.random() < 0.15:
        found["email"] = _person(found, dice, 1940)["email"]
    if dice.random() < 0.15:
        found["phone"] = f"07{dice.randint(10**8, 10**9 - 1)}"
    if dice.random() < 0.1:
        found["given"] = SHORT.get(found["given"], found["given"][:1])
    if dice.random() < 0.02:
        found["given"], found["family"] = found["family"], found["given"]
    if dice.random() < 0.03:
        year, month, day = found["birth"].split("-")
        found["birth"] = f"{year}-{day}-{month}" if int(day) <= 12 else f"{year}-{month}-01"
    return found


def _written(record: Record, dice: random.Random, slips: float) -> Record:
    """As somebody typed it: gaps and slips of the pen."""
    gaps = {"birth": 0.15, "email": 0.3, "phone": 0.3, "given": 0.02}
    found = {}
    for name, value in record.items():
        if dice.random() < gaps.get(name, 0.04):
            found[name] = ""
        else:
            found[name] = slip(value, dice) if dice.random() < slips else value
    return found


def slip(text: str, dice: random.Random) -> str:
    """One letter too many, too few, wrong, or two swapped."""
    if len(text) < 3:
        return text
    place = dice.randrange(1, len(text) - 1)
    letter = dice.choice("0123456789" if text[place].isdigit() else "abcdefghijklmnopqrstuvwxyz")
    changes: tuple[Callable[[], str], ...] = (
        lambda: text[:place] + text[place + 1 :],
        lambda: text[:place] + letter + text[place:],
        lambda: text[:place] + letter + text[place + 1 :],
        lambda: text[: place - 1] + text[place] + text[place - 1] + text[place + 1 :],
    )
    return dice.choice(changes)()


def firms(groups: int, seed: int) -> Register:
    """Firms of which a third belong to a group: one stem, one address, several businesses. Some are written twice."""
    dice = random.Random(seed)
    found = Register()
    for number in range(groups):
        stem = "".join(dice.choice(SYLLABLES) for _ in range(dice.randint(2, 3)))
        shared = {
            key: value
            for key, value in _family(dice)[0].items()
            if key in {"street", "number", "postcode", "city", "phone"}
        }
        for place, branch in enumerate(dice.sample(BRANCHES, dice.choice((1, 1, 2, 3)))):
            words = [stem, branch, *([dice.choice(FAMILY)] if dice.random() < 0.3 else [])]
            form = dice.choice(FORMS)
            label = f"{number}-{words}-{place}"
            for copy in range(1 if dice.random() < 0.6 else dice.randint(2, 3)):
                shown = [*words, form if copy == 0 or dice.random() < 0.6 else ""]
                record = {"company": " ".join(word for word in shown if word).title(), **shared}
                if copy and dice.random() < 0.15:
                    record |= {key: _family(dice)[0][key] for key in ("street", "number", "postcode", "city")}
                found.add(_written(record, dice, 0.06 if copy else 0.02), label)
    return found.shuffled(dice)
