"""Exactly one effect: what each service keeps of each customer and each event, against the books."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from tests.torture.judge.books import Account, Books, moment, money
from tests.torture.judge.breach import Breaches
from tests.torture.judge.identities import Identities

Document = Mapping[str, Any]
HISTORY, SCORING, PROFILES, ORDERS, CONTACTS = (
    "history holds each event once",
    "scoring counts each order once",
    "profiles count each event once",
    "campaigns' orders are the orders",
    "contacts hold what was said last",
)


def exact(amount: object) -> Decimal | None:
    """Money is exact text or a decimal of the database; a float is a breach even where it looks the same."""
    if isinstance(amount, str):
        return Decimal(amount)
    decimal = getattr(amount, "to_decimal", None)
    return decimal() if decimal else None


def time_of(value: object) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value if isinstance(value, datetime) else None


class History:
    """One document for each accepted sale and interaction, under its customer, with its figures; `close` after the last."""

    def __init__(self, books: Books, who: Identities, breaches: Breaches) -> None:
        self._books, self._who, self._breaches = books, who, breaches
        self._seen = bytearray(books.size)

    def take(self, document: Document) -> None:
        books, expect = self._books, self._breaches.expect
        number = books.number(document["event"])
        if number is None or books.kind_of(number) not in {"sale", "interaction"}:
            expect(HISTORY, f"{document['channel']} {document['event']}", "never accepted", document["kind"])
            return
        self._seen[number] = min(self._seen[number] + 1, 255)
        customer, where = books.customer[number], self._where(number)
        expect(HISTORY, where, 1, self._seen[number], event=number, customer=customer)
        found = (self._who.customer(document["customer"]), time_of(document["at"]), _total(document))
        expect(HISTORY, where, _booked(books, number), found, event=number, customer=customer)

    def close(self) -> None:
        for number in self._books.accepted("sale", "interaction"):
            if not self._seen[number]:
                told = {"event": number, "customer": self._books.customer[number]}
                self._breaches.expect(HISTORY, self._where(number), "in the history", "not there", **told)

    def _where(self, number: int) -> str:
        return f"event {self._books.event_id(number)} of customer {self._books.customer[number]}"


def _total(document: Document) -> Decimal | None:
    return exact(document["total"]) if "order" in document else None


def _booked(books: Books, number: int) -> tuple[int, datetime, Decimal | None]:
    total = money(books.cents[number]) if books.kind_of(number) == "sale" else None
    return books.customer[number], moment(books.at[number]), total


def figures(books: Books, sums: Mapping[str, Any], copies: int, breaches: Breaches) -> None:
    """The sums that interactions keeps. `copies` are the second copies of its events that the log holds."""
    interactions, orders, total = books.totals()
    found = (sums["interactions"], sums["orders"], exact(sums["total"]), sums["duplicates"], sums["duplicate_orders"])
    breaches.expect(HISTORY, "its figures", (interactions, orders, total, copies, 0), found)


def scores(books: Books, who: Identities, told: Iterable[Document], breaches: Breaches) -> None:
    """The score last told of each customer who has bought, as `GET /v1/scores` lists it."""
    known: set[int] = set()
    for score in told:
        number = who.customer(score["customer_id"])
        if number is None or number in known:
            breaches.expect(SCORING, f"customer id {score['customer_id']}", "one score of a known customer", "another")
            continue
        known.add(number)
        score_of(books.accounts[number], score, SCORING, breaches)
    for number, account in books.accounts.items():
        if bool(account.orders) != (number in known):
            breaches.expect(
                SCORING, f"customer {number} has a score", bool(account.orders), number in known, customer=number
            )


def score_of(account: Account, score: Document, rule: str, breaches: Breaches) -> None:
    booked = (account.orders, account.total, account.repeat_days, account.first_order_at, account.last_order_at)
    found = (
        score.get("purchases"),
        exact(score.get("money")),
        score.get("frequency"),
        time_of(score.get("first_purchase")),
        time_of(score.get("last_purchase")),
    )
    breaches.expect(rule, f"customer {account.customer}'s score", booked, found, customer=account.customer)


def profiles(books: Books, who: Identities, documents: Iterable[Document], breaches: Breaches) -> None:
    """Campaigns' profile of each customer."""
    known: set[int] = set()
    for document in documents:
        number = who.customer(document["_id"])
        if number is None:
            breaches.expect(PROFILES, f"profile {document['_id']}", "a known customer", None)
            continue
        known.add(number)
        _profile(books.accounts[number], document, breaches)
    for number in books.accounts.keys() - known:
        breaches.expect(PROFILES, f"customer {number}", "a profile", None, customer=number)


def _profile(account: Account, document: Document, breaches: Breaches) -> None:
    sales, met, score = (document.get(section) or {} for section in ("sales", "interactions", "score"))
    found = (
        sales.get("orders", 0),
        exact(sales["total"]) if sales else Decimal(0),
        time_of(sales.get("last_order_at")),
        met.get("count", 0),
        score.get("purchases", 0),
        "contact" in document,
    )
    booked = (account.orders, account.total, account.last_order_at, account.interactions, account.orders, True)
    breaches.expect(PROFILES, f"customer {account.customer}", booked, found, customer=account.customer)


def order_rows(
    books: Books, who: Identities, count: int, sums: Iterable[tuple[str, int, object]], breaches: Breaches
) -> None:
    """Campaigns' rows of orders: how many, and by customer id how many and their sum."""
    breaches.expect(ORDERS, "rows", books.count("sale"), count)
    for customer_id, orders, total in sums:
        number = who.customer(customer_id)
        if number is None:
            breaches.expect(ORDERS, f"customer id {customer_id}", "a known customer", None)
            continue
        account = books.accounts[number]
        found = (orders, exact(total))
        breaches.expect(ORDERS, f"customer {number}", (account.orders, account.total), found, customer=number)


def contacts(books: Books, who: Identities, documents: Iterable[Document], breaches: Breaches) -> None:
    """What contacts keeps of each customer."""
    known: set[int] = set()
    for document in documents:
        number = who.customer(document["_id"])
        if number is None or number in known:
            breaches.expect(CONTACTS, f"contact {document['_id']}", "one of a known customer", "another")
            continue
        known.add(number)
        contact_of(books.accounts[number], document, CONTACTS, breaches)
    for number in books.accounts.keys() - known:
        breaches.expect(CONTACTS, f"customer {number}", "a contact", None, customer=number)


def contact_of(account: Account, contact: Document, rule: str, breaches: Breaches) -> None:
    """Names and consents: of two things said, the one said later holds."""
    consents = [consent["status"] for consent in contact.get("consents") or ()]
    booked = (account.named[1] or None, [account.consented[1]] if account.consented else [])
    found = (contact.get("name"), consents)
    breaches.expect(rule, f"customer {account.customer}'s contact", booked, found, customer=account.customer)
