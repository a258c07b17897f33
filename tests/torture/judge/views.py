"""The single view of each customer, and every channel's copy of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.torture.judge.books import Account, money
from tests.torture.judge.breach import Breaches
from tests.torture.judge.effects import contact_of, exact, score_of, time_of
from tests.torture.judge.identities import Identities, Naming
from tests.torture.judge.persons import Persons

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

    def withheld(self, account: Account | None) -> bool:
        """Of somebody absorbed (None) nothing is known, so no consent either."""
        return self.consent_needed and ((account and account.consented) or (0, ""))[1] != "granted"


def views(persons: Persons, who: Identities, naming: Naming, told: Mapping[str, Document], breaches: Breaches) -> None:
    """`told` are all views by customer id, as `GET /v1/customers` lists them."""
    known = {customer_id for customer_id in told if who.customer(customer_id) is not None} - persons.erased.keys()
    breaches.expect(VIEWS, "views of customers that nobody knows", 0, len(told) - len(known))
    for number, root in persons.root.items():
        _absorbed(f"customer {number}", who.ids.get(root), told.get(who.ids.get(number, "")), number, breaches)
    for number, account in persons.accounts.items():
        view = told.get(who.ids.get(number, ""))
        if view is None:
            breaches.expect(VIEWS, f"customer {number}", "a view", None, customer=number)
        else:
            _view(account, naming, view, breaches)


def _absorbed(what: str, root: str | None, view: Document | None, number: int, breaches: Breaches) -> None:
    """All that is known is in the view of whom they were merged into."""
    shown = view and (
        view.get("merged_into"),
        view["sales"]["orders"],
        view["interactions"],
        view["contact"],
        view["score"],
    )
    breaches.expect(VIEWS, f"{what}: merged", (root, 0, 0, None, None), shown, customer=number)


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
    breaches.expect(VIEWS, f"{who}: merged", None, view.get("merged_into"), customer=account.customer)
    latest = [(time_of(met["occurred_at"]), met["kind"]) for met in view["recent_interactions"]]
    breaches.expect(VIEWS, f"{who}: latest interactions", account.latest, latest, customer=account.customer)
    names = sorted(f"{one['scheme']}:{one['value']}" for one in contact.get("identifiers", ()))
    breaches.expect(VIEWS, f"{who}: identifiers", sorted(naming.identifiers(account)), names, customer=account.customer)
    contact_of(account, contact, VIEWS, breaches)
    if account.orders or view["score"]:
        score_of(account, view["score"] or {}, VIEWS, breaches)


def sums(persons: Persons, summary: Document, breaches: Breaches) -> None:
    """What `GET /v1/customers/summary` adds up: each person once, and nobody who was erased."""
    accounts = persons.accounts.values()
    booked = (len(accounts), sum(one.orders for one in accounts), money(sum(one.cents for one in accounts)))
    found = (summary["customers"], summary["orders"], exact(summary["total"]))
    breaches.expect(SUMS, "customers, orders and money", booked, found)


def copies(
    persons: Persons,
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
        if erasure := persons.erased.get(customer_id):
            # Whoever was never sent anything need not hear of it.
            found = copy and (copy.get("erased"), copy["customer"])
            breaches.expect(COPIES, f"{name}: erased", copy and (erasure, {}), found, customer=number)
            continue
        if view is None or copy is None or number is None:
            breaches.expect(COPIES, f"{name}: known", view is not None, copy is not None, customer=number)
            continue
        root = persons.root.get(number)
        withheld = terms.withheld(persons.accounts.get(number))
        merged_into = None if root is None else who.ids.get(root)
        breaches.expect(COPIES, f"{name}: merged", merged_into, copy.get("merged_into"), customer=number)
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
