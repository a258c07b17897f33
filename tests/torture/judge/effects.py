"""Exactly one effect: what each service keeps of each customer and each event, against the books."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from tests.torture.judge.books import Account, Books, moment, money
from tests.torture.judge.breach import Breaches
from tests.torture.judge.identities import Identities
from tests.torture.judge.persons import Persons

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

    def __init__(self, books: Books, who: Identities, breaches: Breaches, gone: Container[int] = ()) -> None:
        """`gone` are the events of customers who were erased."""
        self._books, self._who, self._breaches, self._gone = books, who, breaches, gone
        self._seen = bytearray(books.size)

    def take(self, document: Document) -> None:
        books, expect = self._books, self._breaches.expect
        number = books.number(document["event"])
        if number is None or books.kind_of(number) not in {"sale", "interaction"}:
            expect(HISTORY, f"{document['channel']} {document['event']}", "never accepted", document["kind"])
            return
        self._seen[number] = min(self._seen[number] + 1, 255)
        customer, where = books.customer[number], self._where(number)
        wanted = 0 if number in self._gone else 1
        expect(HISTORY, where, wanted, self._seen[number], event=number, customer=customer)
        found = (self._who.customer(document["customer"]), time_of(document["at"]), _total(document))
        expect(HISTORY, where, _booked(books, number), found, event=number, customer=customer)

    def close(self) -> None:
        for number in self._books.accepted("sale", "interaction"):
            if not self._seen[number] and number not in self._gone:
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


def scores(persons: Persons, who: Identities, told: Iterable[Document], breaches: Breaches) -> None:
    """The score last told of each person who has bought, as `GET /v1/scores` lists it."""
    known: set[int] = set()
    for score in told:
        number = who.customer(score["customer_id"])
        if number not in persons.accounts or score["customer_id"] in persons.erased or number in known:
            what, wanted = f"customer id {score['customer_id']}", "one score of somebody who answers for themselves"
            breaches.expect(SCORING, what, wanted, "another", customer=number)
            continue
        known.add(number)
        score_of(persons.accounts[number], score, SCORING, breaches)
    for number, account in persons.accounts.items():
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


def profiles(persons: Persons, who: Identities, documents: Iterable[Document], breaches: Breaches) -> None:
    """Campaigns' profile of each customer: what came under their own id, and of a survivor what all have brought."""
    known: set[int] = set()
    for document in documents:
        number = who.customer(document["_id"])
        if number not in persons.parts or document["_id"] in persons.erased:
            breaches.expect(PROFILES, f"profile {document['_id']}", "a known customer", number, customer=number)
            continue
        known.add(number)
        root = persons.root.get(number)
        merged = (None if root is None else who.ids.get(root), document.get("merged_into"))
        breaches.expect(PROFILES, f"customer {number}: merged", *merged, customer=number)
        _profile(persons.accounts.get(number), persons.parts[number], document, breaches)
    for number in persons.parts.keys() - known:
        breaches.expect(PROFILES, f"customer {number}", "a profile", None, customer=number)


def _profile(whole: Account | None, own: Account, document: Document, breaches: Breaches) -> None:
    number, apart = own.customer, document.get("own")
    expect = partial(breaches.expect, PROFILES, customer=number)
    expect(f"customer {number}: own", _booked_figures(own), _figures(document if apart is None else apart))
    score = (document.get("score") or {}).get("purchases", 0)
    expect(f"customer {number}: score", whole.orders if whole else 0, score)
    if whole:
        expect(f"customer {number}", (*_booked_figures(whole), True), (*_figures(document), "contact" in document))


def _booked_figures(account: Account) -> tuple[object, ...]:
    return account.orders, account.total, account.last_order_at, account.interactions


def _figures(document: Document) -> tuple[object, ...]:
    sales, met = document.get("sales") or {}, document.get("interactions") or {}
    total = exact(sales["total"]) if sales else Decimal(0)
    return sales.get("orders", 0), total, time_of(sales.get("last_order_at")), met.get("count", 0)


def order_rows(
    persons: Persons, who: Identities, count: int, sums: Iterable[tuple[str, int, object]], breaches: Breaches
) -> None:
    """Campaigns' rows of orders, which stay with the id that they came under: how many, and by id how many and their sum."""
    breaches.expect(ORDERS, "rows", sum(one.orders for one in persons.parts.values()), count)
    for customer_id, orders, total in sums:
        number = who.customer(customer_id)
        if number not in persons.parts or customer_id in persons.erased:
            breaches.expect(ORDERS, f"customer id {customer_id}", "a known customer", number, customer=number)
            continue
        account = persons.parts[number]
        found = (orders, exact(total))
        breaches.expect(ORDERS, f"customer {number}", (account.orders, account.total), found, customer=number)


def contacts(persons: Persons, who: Identities, documents: Iterable[Document], breaches: Breaches) -> None:
    """What contacts keeps of each customer, which is what was said of that one, and with whom they are one."""
    known: set[int] = set()
    for document in documents:
        number = who.customer(document["_id"])
        if number not in persons.parts or document["_id"] in persons.erased or number in known:
            what = f"contact {document['_id']}"
            breaches.expect(CONTACTS, what, "one of a known customer", "another", customer=number)
            continue
        known.add(number)
        contact_of(persons.parts[number], document, CONTACTS, breaches)
        _place(persons, who, number, document.get("place") or {}, breaches)
    for number in persons.parts.keys() - known:
        breaches.expect(CONTACTS, f"customer {number}", "a contact", None, customer=number)


def _place(persons: Persons, who: Identities, number: int, place: Document, breaches: Breaches) -> None:
    into, root = (who.ids.get(of[number]) if number in of else None for of in (persons.into, persons.root))
    others = sorted(who.ids.get(one, "") for one in persons.others(number))
    found = (place.get("into"), place.get("root"), sorted(place.get("members") or ()))
    breaches.expect(CONTACTS, f"customer {number}'s place", (into, root, others), found, customer=number)


def contact_of(account: Account, contact: Document, rule: str, breaches: Breaches) -> None:
    """Names and consents: of two things said, the one said later holds."""
    consents = [consent["status"] for consent in contact.get("consents") or ()]
    booked = (account.named[1] or None, [account.consented[1]] if account.consented else [])
    found = (contact.get("name"), consents)
    breaches.expect(rule, f"customer {account.customer}'s contact", booked, found, customer=account.customer)
