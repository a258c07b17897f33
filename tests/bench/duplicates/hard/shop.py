"""Orders of a web shop, each with the customer typed anew: 10 to 50 records of one person, and columns that say nothing of him."""

from __future__ import annotations

import random
import uuid

from tests.bench.duplicates.hard.dirt import dirty
from tests.bench.duplicates.hard.words import FAMILY, GIVEN, ROADS, SHORT, STREETS, TOWNS
from tests.contacts.matching.people import Record, Register

GAPS = {"buyer_phone": 0.3, "company": 0.9, "email": 0.08}
COMMENTS = (
    "",
    "",
    "",
    "please ring twice",
    "leave it with the neighbour",
    "gift, no invoice",
    "thank you!",
    "deliver after 5 pm",
)


def shop(customers: int, seed: int) -> Register:
    """Of a hundred customers ten have 10 to 50 orders, thirty two to six."""
    dice = random.Random(seed)
    found = Register()
    before: Record = {}
    for number in range(customers):
        customer = _customer(dice)
        if before and dice.random() < 0.1:
            customer |= {name: before[name] for name in ("last", "ship_to", "buyer_phone", "town", "plz")}
        before = customer
        kind = dice.random()
        orders = dice.randint(10, 50) if kind < 0.1 else dice.randint(2, 6) if kind < 0.4 else 1
        for _ in range(orders):
            if dice.random() < 0.03:
                customer = customer | _home(dice)
            found.add(_order(customer, dice), str(number))
    return found.shuffled(dice)


def _home(dice: random.Random) -> Record:
    return {
        "ship_to": f"{STREETS.one(dice)} {dice.choice(ROADS)} {dice.randint(1, 200)}",
        "town": TOWNS.one(dice),
        "plz": f"{dice.randint(1000, 99999):05}",
    }


def _customer(dice: random.Random) -> Record:
    first, last = GIVEN.one(dice), FAMILY.one(dice)
    return {
        "first": first,
        "last": last,
        **_home(dice),
        "buyer_phone": f"+49 {dice.randint(150, 179)} {dice.randint(10**6, 10**8)}",
        "email": f"{first}.{last}{dice.choice(('', dice.randint(1, 99)))}@{dice.choice(('gmx', 'web', 'mail'))}.example",
        "country": dice.choice(("DE", "DE", "DE", "AT", "CH")),
    }


def _order(customer: Record, dice: random.Random) -> Record:
    first = customer["first"]
    if dice.random() < 0.08:
        first = SHORT.get(first, f"{first[0]}.")
    name = f"{first} {customer['last']}" if dice.random() < 0.85 else f"{customer['last']}, {first}"
    who = {"buyer": name.title() if dice.random() < 0.7 else name} | {
        key: customer[key] for key in ("email", "buyer_phone", "ship_to", "plz", "town", "country")
    }
    if dice.random() < 0.05:
        who["email"] = dice.choice(
            (f"{first}{dice.randint(100, 999)}@web.example", "guest@shop.example", "noreply@shop.example")
        )
    return {
        "order": str(uuid.UUID(int=dice.getrandbits(128))),
        "placed_at": f"{dice.randint(2019, 2024)}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}T{dice.randint(0, 23):02}:{dice.randint(0, 59):02}:00Z",
        **dirty(who, dice, GAPS, 0.04),
        "total": f"{dice.lognormvariate(4, 1):.2f}",
        "items": str(dice.randint(1, 9)),
        "channel": dice.choice(("web", "app", "phone")),
        "state": dice.choice(("paid", "paid", "paid", "open", "returned")),
        "comment": dice.choice(COMMENTS),
    }
