"""Whom a view is of, by the cards in it, and that those who were merged into somebody are found under that one's id only."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from demo.ledger.accounts import Accounts
from demo.ledger.difference import Difference, unequal

Document = Mapping[str, Any]


def identifiers(view: Document) -> list[str]:
    return [f"{known['scheme']}:{known['value']}" for known in (view.get("contact") or {}).get("identifiers", ())]


def cards_of(view: Document) -> frozenset[int]:
    """The numbers of the loyalty cards that the customer carries."""
    begin = "loyalty-card:LC-"
    return frozenset(int(name.removeprefix(begin)) for name in identifiers(view) if name.startswith(begin))


def household_of(view: Document) -> int | None:
    """The smallest number of the customer's cards, which is the household's; None without any."""
    return min(cards_of(view), default=None)


def households(views: Iterable[Document]) -> dict[str, int | None]:
    """By customer id; who was merged into somebody is of that one's household."""
    known = {view["customer_id"]: view for view in views}
    return {customer_id: household_of(known[root_of(customer_id, known)]) for customer_id in known}


def root_of(customer_id: str, views: Mapping[str, Document]) -> str:
    """Who answers for a customer."""
    seen = {customer_id}
    while (into := views[customer_id].get("merged_into")) in views and into not in seen:
        customer_id = str(into)
        seen.add(customer_id)
    return customer_id


def absorbed(accounts: Accounts, views: list[Document]) -> Iterator[Difference]:
    """Who was merged into somebody is found under that one's id, and nothing is left under their own."""
    known = {view["customer_id"]: view for view in views}
    parts: dict[str, set[str]] = {}
    for customer_id, view in known.items():
        if view.get("merged_into"):
            parts.setdefault(root_of(customer_id, known), set()).add(customer_id)
            left = [view["contact"], view["sales"]["orders"], view["interactions"], view["campaigns"], view["score"]]
            yield from unequal(f"customer {customer_id}: left of the absorbed", [None, 0, 0, [], None], left)
    for customer_id, view in known.items():
        if not view.get("merged_into"):
            mine, account = parts.get(customer_id, set()), accounts.get(household_of(view) or 0)
            name = f"household {household_of(view)}"
            yield from unequal(f"{name}: absorbed", sorted(mine), sorted((view["contact"] or {}).get("absorbed", ())))
            if account:
                yield from unequal(f"{name}: parts", len(account.parts), 1 + len(mine))
