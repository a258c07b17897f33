"""A small world in which everything is right, for tests that put one thing wrong and look whether the judge finds it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bson.decimal128 import Decimal128

from tests.torture.judge import Account, Books, Breaches
from tests.torture.judge.books import money, written
from tests.torture.judge.deliveries import Delivery
from tests.torture.judge.identities import Identities, identities
from tests.torture.judge.inbound import Inbound, Record
from tests.torture.judge.letters import Letter, Original
from tests.torture.judge.persons import Persons, plain
from tests.torture.judge.views import Terms, permitted
from tests.torture.sendings import NAMING, Sent

TAG = "torture"
DAY = 86_400
BEGIN = 20_000 * DAY
SENT = (
    Sent(0, "sale", 1, 0, BEGIN, 1050, "", None),
    Sent(1, "contact", 1, 1, BEGIN + 20, 0, "Ann", "granted"),
    Sent(2, "interaction", 1, 0, BEGIN + 40, 0, "call", None),
    Sent(3, "sale", 1, 2, BEGIN + 3 * DAY, 299, "", None),
    Sent(4, "sale", 2, 0, BEGIN + 80, 100, "", None),
    Sent(5, "contact", 2, 1, BEGIN + 100, 0, "Bob", "withdrawn"),
    Sent(6, "poison", 2, 0, BEGIN + 120, 0, "cut-off", None),
    Sent(7, "interaction", 1, 2, BEGIN + 140, 0, "visit", None),
)
IDS = {1: "id-1", 2: "id-2"}
SOURCES = ("/channels/till", "/channels/web-shop", "/channels/call-desk", "/channels/app")
STEADY = Terms("steady", ("contact.name", "sales", "interactions"), consent_needed=False)
MOODY = Terms("moody", ("contact.name", "sales"), consent_needed=True)


@dataclass
class World:
    """All evidence, consistent until a test changes it."""

    books: Books = field(default_factory=lambda: written(TAG, 16, SENT))
    breaches: Breaches = field(default_factory=Breaches)
    who: Identities = field(init=False)
    inbound: Inbound = field(init=False)
    persons: Persons = field(init=False)

    def __post_init__(self) -> None:
        self.who = identities(self.books, NAMING, self.owners(), 0, Breaches())
        self.persons = plain(self.books)
        self.inbound = Inbound(self.books, Breaches())
        for record in self.log():
            self.inbound.take(record)

    @property
    def rules(self) -> set[str]:
        """Those that were broken."""
        return set(self.breaches.counts)

    def owners(self) -> list[tuple[str, str]]:
        accounts = self.books.accounts.values()
        return [(name, IDS[account.customer]) for account in accounts for name in sorted(NAMING.identifiers(account))]

    def log(self) -> list[Record]:
        return [self.told(sent, offset) for offset, sent in enumerate(SENT)]

    @staticmethod
    def told(sent: Sent, offset: int) -> Record:
        headers = {"ce_id": f"{TAG}-{sent.event}".encode(), "ce_source": SOURCES[sent.channel].encode()}
        return Record("crm.inbound", 0, offset, b"key", b"poison" if sent.kind == "poison" else b"{}", dict(headers))

    def history(self) -> list[dict[str, Any]]:
        return [self.entry(sent) for sent in SENT if sent.kind in {"sale", "interaction"}]

    @staticmethod
    def entry(sent: Sent) -> dict[str, Any]:
        entry = {
            "customer": IDS[sent.customer],
            "channel": SOURCES[sent.channel],
            "event": f"{TAG}-{sent.event}",
            "kind": "order" if sent.kind == "sale" else sent.said,
            "at": Account(0, times={sent.at}).first_order_at,
        }
        return entry | ({"order": "o", "total": Decimal128(money(sent.cents))} if sent.kind == "sale" else {})

    @staticmethod
    def figures() -> dict[str, Any]:
        total = Decimal128(Decimal("14.49"))
        return {"interactions": 2, "orders": 3, "total": total, "duplicates": 0, "duplicate_orders": 0}

    def score(self, number: int) -> dict[str, Any]:
        account = self.books.accounts[number]
        return {
            "customer_id": IDS[number],
            "purchases": account.orders,
            "money": str(account.total),
            "frequency": account.repeat_days,
            "first_purchase": text(account.first_order_at),
            "last_purchase": text(account.last_order_at),
        }

    def profile(self, number: int) -> dict[str, Any]:
        account = self.books.accounts[number]
        sales = {"orders": account.orders, "total": Decimal128(account.total), "last_order_at": account.last_order_at}
        met = {"count": account.interactions}
        return {
            "_id": IDS[number],
            "sales": sales,
            "interactions": met,
            "score": {"purchases": account.orders},
            "contact": {},
        }

    def contact(self, number: int) -> dict[str, Any]:
        account = self.books.accounts[number]
        consents = [{"status": account.consented[1]}] if account.consented else []
        return {"_id": IDS[number], "name": account.named[1], "consents": consents, "version": 2}

    def view(self, number: int) -> dict[str, Any]:
        account = self.books.accounts[number]
        names = [name.split(":", 1) for name in sorted(NAMING.identifiers(account))]
        identifiers = [{"scheme": scheme, "value": value} for scheme, value in names]
        return {
            "customer_id": IDS[number],
            "version": 4,
            "contact": {**self.contact(number), "identifiers": identifiers},
            "sales": {
                "orders": account.orders,
                "total": str(account.total),
                "first_order_at": text(account.first_order_at),
                "last_order_at": text(account.last_order_at),
            },
            "interactions": account.interactions,
            "recent_interactions": [{"occurred_at": text(at), "kind": kind} for at, kind in account.latest],
            "score": self.score(number),
        }

    def views(self) -> dict[str, dict[str, Any]]:
        return {IDS[number]: self.view(number) for number in self.books.accounts}

    def copies(self, terms: Terms) -> dict[str, dict[str, Any]]:
        return {customer_id: self.copy(terms, customer_id, view) for customer_id, view in self.views().items()}

    def copy(self, terms: Terms, customer_id: str, view: dict[str, Any]) -> dict[str, Any]:
        withheld = terms.withheld(self.books.accounts[self.who.customers[customer_id]])
        customer = {} if withheld else permitted(view, terms.fields)
        told = {"version": view["version"], "customer": customer, "withheld": list(terms.fields) if withheld else []}
        return {"customer_id": customer_id, **told}

    def facts(self) -> list[Record]:
        """What services tell: each sale and interaction in the log's order, then contacts, scores and views."""
        facts = [
            fact(
                "crm.sales" if sent.kind == "sale" else "crm.interactions",
                IDS[sent.customer],
                sent.event,
                {},
                sent.event,
            )
            for sent in SENT
            if sent.kind in {"sale", "interaction"}
        ]
        for place, (number, customer_id) in enumerate(IDS.items()):
            orders = self.books.accounts[number].orders
            facts += [
                fact("crm.contacts", customer_id, 1, {"contact": {"version": version}}, 2 * place + version)
                for version in (1, 2)
            ]
            facts += [
                fact("crm.scores", customer_id, 1, {"score": {"purchases": count}}, 10 * place + count)
                for count in range(1, orders + 1)
            ]
            facts += [
                fact("crm.customers", customer_id, 1, {"view": {"version": version}}, 10 * place + version)
                for version in (1, 2, 4)
            ]
        return facts

    def letter(self) -> Letter:
        place, _ = next(iter(self.inbound.poison.items()))
        return Letter("crm.inbound", place, "malformed", "interactions", b"poison")

    @staticmethod
    def originals() -> dict[int, Original]:
        return {6: Original(b"poison", "malformed")}


def fact(topic: str, customer_id: str, event: int, value: dict[str, Any], sequence: int) -> Record:
    headers: dict[str, bytes | None] = {
        "ce_correlationid": f"{TAG}-{event}".encode(),
        "ce_source": b"/rapport/x",
        "ce_sequence": f"{sequence:08d}".encode(),
    }
    return Record(topic, 0, sequence, customer_id.encode(), json.dumps(value).encode(), headers)


def delivery(version: int, *, channel: str = "steady", at: float = 0.0, **told: Any) -> Delivery:
    given = {"message_id": f"m{version}", "signed": True, "taken": True, "customer_id": "id-1", **told}
    return Delivery(channel=channel, arrived_at=at, version=version, **given)


def text(moment: Any) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
