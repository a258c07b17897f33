"""What happened: the CSV files as events, each said by the system that saw it. When and how often is in `plan`; what of it
is made up, in `made_up`.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from demo.emitters.cards import CARDS, Wallets, application
from demo.emitters.event import CONTACT, INTERACTION, SALE, Event, Row, parsed, rfc3339, rows
from demo.emitters.made_up import COSTS, Tills, delivery, made_up, payment
from demo.emitters.systems import COUPONS, LOYALTY, MAIL_HOUSE, System, of_store

DATA = Path(__file__).parents[1] / "data"
YEAR_BEGINS = datetime(2017, 1, 1, tzinfo=UTC)


def within(share: float, household: int) -> bool:
    """A fixed share of all households, the same ones whenever asked."""
    return zlib.crc32(b"%d" % household) < share * 2**32


def contact(row: Row) -> Event:
    household = int(row["household_id"])
    told = {name: value for name, value in row.items() if name != "household_id" and value}
    data = {
        "customer": LOYALTY.identifiers(household),
        "reported_at": rfc3339(YEAR_BEGINS),
        "party": "household",
        "stage": "customer",
        "name": f"Household {household}",
        "attributes": told,
    }
    return Event(LOYALTY, f"card-{household}", CONTACT, YEAR_BEGINS, household, data)


def line(system: System, row: Row, categories: Mapping[str, str], tills: Tills) -> dict[str, Any]:
    taken_off = {"retail": "retail_disc", "coupon": "coupon_disc", "coupon_match": "coupon_match_disc"}
    told = {
        "product": row["product_id"],
        "quantity": row["quantity"],
        "value": row["sales_value"],
        "discounts": {name: row[column] for name, column in taken_off.items()},
    }
    category = categories.get(row["product_id"], "")
    return told | ({"category": category} if category else {}) | tills.cost(system, row, category)


def sale(basket: str, lines: list[Row], categories: Mapping[str, str], tills: Tills, wallets: Wallets) -> Event:
    first = lines[0]
    household, store, at = int(first["household_id"]), int(first["store_id"]), parsed(first["transaction_timestamp"])
    system = of_store(store)
    data = {
        "customer": system.identifiers(wallets.card(household, basket, at)),
        "order": basket,
        "ordered_at": rfc3339(at),
        "store": str(store),
        "payment": payment(household),
        **delivery(household),
        "currency": "USD",
        "lines": [line(system, row, categories, tills) for row in lines],
    }
    return Event(system, f"sale-{basket}", SALE, at, household, data)


def mailing(row: Row, description: Row) -> Event:
    household, campaign, at = int(row["household_id"]), row["campaign_id"], parsed(description["start_date"])
    data = {
        "customer": MAIL_HOUSE.identifiers(household),
        "kind": "campaign-contact",
        "occurred_at": rfc3339(at),
        "direction": "outbound",
        "campaign": f"mail-{campaign}",
        "summary": f"Mailing {campaign} ({description['campaign_type']})",
    }
    return Event(MAIL_HOUSE, f"mail-{campaign}-{household}", INTERACTION, at, household, data)


def redemption(row: Row) -> Event:
    household, campaign, at = int(row["household_id"]), row["campaign_id"], parsed(row["redemption_date"])
    data = {
        "customer": COUPONS.identifiers(household),
        "kind": "coupon-redemption",
        "occurred_at": rfc3339(at),
        "direction": "inbound",
        "campaign": f"mail-{campaign}",
        "attributes": {"coupon": row["coupon_upc"]},
    }
    event_id = f"coupon-{row['coupon_upc']}-{campaign}-{household}-{row['redemption_date']}"
    return Event(COUPONS, event_id, INTERACTION, at, household, data)


def baskets(lines: Iterable[Row]) -> Iterator[tuple[str, list[Row]]]:
    for basket, found in groupby(
        sorted(lines, key=lambda row: int(row["basket_id"])), key=lambda row: row["basket_id"]
    ):
        yield basket, list(found)


def events(folder: Path = DATA, share: float = 1.0) -> list[Event]:
    """All that the systems have to say about the share's households, in time order."""
    mine = {
        name: [row for row in rows(folder, name) if within(share, int(row["household_id"]))]
        for name in ("transactions", "demographics", "campaigns", "coupon_redemptions", CARDS)
    }
    descriptions = {row["campaign_id"]: row for row in rows(folder, "campaign_descriptions")}
    said = [contact(row) for row in mine["demographics"]]
    said += [application(row) for row in mine[CARDS]]
    categories = {row["product_id"]: row["product_category"] for row in rows(folder, "products")}
    tills = Tills(rows(folder, COSTS))
    wallets = Wallets(mine[CARDS])
    said += [sale(basket, lines, categories, tills, wallets) for basket, lines in baskets(mine["transactions"])]
    said += [mailing(row, descriptions[row["campaign_id"]]) for row in mine["campaigns"]]
    said += [redemption(row) for row in mine["coupon_redemptions"]]
    said += [event for event in made_up(folder) if within(share, event.household)]
    return sorted(said, key=lambda event: (event.at, event.type, event.id))
