"""What scoring holds on a customer, unpacked and in words."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import orjson

from services.scoring.domain.behaviour import Behaviour
from services.scoring.domain.channels import FirstOrder
from services.scoring.domain.contracts.facts import Contracts
from services.scoring.domain.profit.book import Book
from services.scoring.domain.purchases import Purchases, money_of
from services.scoring.domain.wishes.habits import Habits
from services.scoring.store.deeds import HABITS
from services.scoring.store.names import MongoNames
from shared.held import Held, Item, Piece, Section, by_id, having, held_links
from shared.moments import as_utc
from shared.mongo import Database, Document

EPOCH = date(1970, 1, 1)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def held(database: Database, names: MongoNames) -> Held:
    scores = by_id(database["customers"], having("_id"), _score)
    decisions = by_id(database["decisions"], _decided_of, _decision)
    return Held(
        "scoring",
        [
            Section(
                "score",
                "What we expect of you, as we have last told it, and the purchases that it follows from. While your data "
                "must not be used, nothing is expected of you.",
                scores,
            ),
            Section(
                "habits",
                "What you buy and how you meet us, by which we guess what you may want, what you have earned us by month, "
                "your contracts, and what else you did by day.",
                _Deeds(database, names).read,
            ),
            held_links(database),
            Section("decisions", "What was decided to do, or not to do, so that you stay, and why.", decisions),
        ],
    )


def _decided_of(customers: Sequence[str]) -> Document:
    """A decision's id is `customer:occasion`; the character after the colon ends the range."""
    return {"$or": [{"_id": {"$gt": f"{customer}:", "$lt": f"{customer};"}} for customer in customers]}


def _score(document: Document) -> Item:
    told = document.get("told")
    return {
        "customer_id": document["_id"],
        "score": orjson.loads(told) if told else None,
        "first_order": _first(document.get("first")),
        "purchases": _purchases(document["days"]),
    } | _own(document.get("bond"))


def _own(bond: Document | None) -> dict[str, Any]:
    """Of who is not alone: the score is of all who are one, or in another's. Of who is restricted there is none, and all of the
    purchases stand here.
    """
    if bond is None:
        return {}
    return {
        "merged_into": bond["merged_into"],
        "with": bond["members"],
        "own_purchases": _purchases(bond["days"]),
        "own_first_order": _first(bond["first"]),
    } | ({"restricted": True} if bond.get("hidden") else {})


def _purchases(packed: bytes) -> list[Item]:
    days = Purchases.unpack(packed).days
    return [{"day": _day(one.day), "orders": one.orders, "money": money_of(one.micros)} for one in days]


def _first(first: Sequence[Any] | None) -> Item | None:
    if first is None:
        return None
    found = FirstOrder._make(first)
    return {"order_id": found.order_id, "channel": found.channel, "at": as_utc(found.at)}


def _decision(document: Document) -> Item:
    told = {name: document.get(name) for name in ("at", "occasion", "decision", "words", "stayed")}
    return told | {"drawn": document.get("drawn")}


class _Deeds:
    """What customers do. Names of goods and channels are kept apart."""

    def __init__(self, database: Database, names: MongoNames) -> None:
        self._deeds = database["deeds"]
        self._names = names

    async def read(self, customers: Sequence[str], place: str | None, limit: int) -> Piece:  # noqa: ARG002
        """One customer at a time: what is remembered of one can be a megabyte."""
        left = sorted(customer for customer in customers if customer > (place or ""))
        if not left:
            return [], None
        document = await self._deeds.find_one({"_id": left[0]})
        items = [await self._told(document)] if document else []
        return items, left[0] if len(left) > 1 else None

    async def _told(self, document: Document) -> Item:
        habits = {name: Habits.unpack(document[name]) for name in HABITS if name in document}
        numbers = {habit.item for name, one in habits.items() if name != "hours" for habit in one.kept}
        texts = await self._names.texts(numbers)
        packed = b"".join(document.get("months", {}).values())
        contracts = Contracts.unpack(document["contracts"]) if "contracts" in document else Contracts()
        behaviour = Behaviour.unpack(document["behaviour"]) if "behaviour" in document else Behaviour()
        return {
            "customer_id": document["_id"],
            **{name: _habits(name, one, texts) for name, one in habits.items()},
            "profit_by_month": _book(Book.unpack(packed)),
            "contracts": [
                {"contract": f.contract, "at": f.at, "what": f.kind.name.lower(), "reason": f.reason or None}
                | ({"price": money_of(f.price)} if f.price >= 0 else {})
                for f in contracts.facts
            ],
            "behaviour": [
                {"day": _day(one.day), "what": one.doing.name.lower(), "times": one.times} for one in behaviour.days
            ],
        }


def _habits(name: str, habits: Habits, texts: Mapping[int, str]) -> list[Item]:
    return [
        {
            "what": _hour(habit.item) if name == "hours" else texts.get(habit.item, str(habit.item)),
            "times": habit.times,
            "first": _day(habit.first),
            "last": _day(habit.last),
        }
        for habit in habits.kept
    ]


def _book(book: Book) -> list[Item]:
    return [
        {
            "month": f"{key.month // 12 + 1970}-{key.month % 12 + 1:02d}",
            "kind": str(key.kind),
            "subject": key.subject or None,
            "events": total.events,
            "money" if key.told else "quantity": money_of(total.micros),
        }
        for key, total in sorted(book.sums.items(), key=lambda pair: pair[0])
    ]


def _hour(hour: int) -> str:
    return f"{WEEKDAYS[hour // 24]}, {hour % 24}:00"


def _day(day: int) -> str:
    return (EPOCH + timedelta(days=day)).isoformat()
