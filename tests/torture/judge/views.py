"""The single view of each customer, and every channel's copy of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.torture.judge.books import Account, Books
from tests.torture.judge.breach import Breaches
from tests.torture.judge.effects import contact_of, exact, score_of, time_of
from tests.torture.judge.identities import Identities, Naming

Document = Mapping[str, Any]
VIEWS, SUMS, COPIES, POLICY = (
    "the view holds each event once",
    "sums over all customers",
    "each channel's copy equals the view",
    "a channel sees what it may",
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed with a channel when it was registered."""

    channel: str
    fields: tuple[str, ...]
    consent_needed: bool
    """Without the customer's consent the channel learns nothing but ids."""

    def withheld(self, account: Account) -> bool:
        return self.consent_needed and (account.consented or (0, ""))[1] != "granted"


def views(books: Books, who: Identities, naming: Naming, told: Mapping[str, Document], breaches: Breaches) -> None:
    """`told` are all views by customer id, as `GET /v1/customers` lists them."""
    known = {number for customer_id in told if (number := who.customer(customer_id)) is not None}
    breaches.expect(VIEWS, "views of customers that nobody knows", 0, len(told) - len(known))
    for number, account in books.accounts.items():
        view = told.get(who.ids.get(number, ""))
        if view is None:
            breaches.expect(VIEWS, f"customer {number}", "a view", None, customer=number)
        else:
            _view(account, naming, view, breaches)


def _view(account: Account, naming: Naming, view: Document, breaches: Breaches) -> None:
    who, sales, contact = f"customer {account.customer}", view["sales"], view["contact"] or {}
    booked = (account.orders, account.total, account.first_order_at, account.last_order_at, account.interactions)
    found = (
        sales["orders"],
        exact(sales["total"]),
        time_of(sales["first_order_at"]),
        time_of(sales["last_order_at"]),
        view["interactions"],
    )
    breaches.expect(VIEWS, f"{who}: figures", booked, found, customer=account.customer)
    latest = [(time_of(met["occurred_at"]), met["kind"]) for met in view["recent_interactions"]]
    breaches.expect(VIEWS, f"{who}: latest interactions", account.latest, latest, customer=account.customer)
    names = sorted(f"{one['scheme']}:{one['value']}" for one in contact.get("identifiers", ()))
    breaches.expect(VIEWS, f"{who}: identifiers", sorted(naming.identifiers(account)), names, customer=account.customer)
    contact_of(account, contact, VIEWS, breaches)
    if account.orders or view["score"]:
        score_of(account, view["score"] or {}, VIEWS, breaches)


def sums(books: Books, summary: Document, breaches: Breaches) -> None:
    """What `GET /v1/customers/summary` adds up."""
    _, orders, total = books.totals()
    found = (summary["customers"], summary["orders"], exact(summary["total"]))
    breaches.expect(SUMS, "customers, orders and money", (len(books.accounts), orders, total), found)


def copies(
    books: Books,
    who: Identities,
    terms: Terms,
    told: Mapping[str, Document],
    held: Mapping[str, Document],
    breaches: Breaches,
) -> None:
    """`held` is the newest body by customer id that the channel keeps."""
    for customer_id in told.keys() | held.keys():
        number, view, copy = who.customer(customer_id), told.get(customer_id), held.get(customer_id)
        name = f"{terms.channel}: customer {number} ({customer_id})"
        if view is None or copy is None or number is None:
            breaches.expect(COPIES, f"{name}: known", view is not None, copy is not None, customer=number)
            continue
        withheld = terms.withheld(books.accounts[number])
        breaches.expect(COPIES, f"{name}: version", view["version"], copy["version"], customer=number)
        expected = {} if withheld else permitted(view, terms.fields)
        rule = POLICY if withheld or set(copy["customer"]) - set(expected) else COPIES
        breaches.expect(rule, f"{name}: content", expected, copy["customer"], customer=number)
        kept_back = sorted(terms.fields) if withheld else []
        breaches.expect(POLICY, f"{name}: withheld", kept_back, sorted(copy["withheld"]), customer=number)


def permitted(view: Document, fields: Sequence[str]) -> Any:
    """The part of a view that a policy of dotted field names lets through."""
    return dict(view) if "*" in fields else part(view, [field.split(".") for field in fields])


def part(value: Any, paths: Iterable[Sequence[str]]) -> Any:
    """Of an object its named fields, of a list the named fields of each element; what is null stays null."""
    paths = list(paths)
    if value is None or any(not path for path in paths):
        return value
    if isinstance(value, list):
        return [part(element, paths) for element in value]
    names = {path[0] for path in paths if path[0] in value}
    return {name: part(value[name], [path[1:] for path in paths if path[0] == name]) for name in names}
