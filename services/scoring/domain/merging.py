"""Customers who are one: what each has bought, and what that makes together. Who belongs to whom is the contracts' rule. Pure."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from services.scoring.domain.channels import FirstOrder, earliest
from services.scoring.domain.purchases import BeyondTheBooks, Purchases


class Part(NamedTuple):
    """What came under a customer's own id, whoever it is scored with."""

    purchases: Purchases = Purchases()
    first: FirstOrder | None = None


class Bond(NamedTuple):
    """A customer is not alone: merged into another one (then nothing is scored of them), or others were into them. Or they are
    restricted, and nothing is scored of them either.
    """

    own: Part
    merged_into: str | None = None
    members: tuple[str, ...] = ()
    """All who were, directly or through others."""
    hidden: bool = False
    """Somebody of all who are one is restricted."""


def total(root: str, parts: Mapping[str, Part]) -> Part:
    """What they have bought together, as if all of it had come to the root."""
    whole = parts[root]
    for customer in sorted(parts.keys() - {root}):
        whole = plus(whole, parts[customer])
    return whole


def plus(one: Part, other: Part) -> Part:
    """Commutative and associative, but where amounts no longer hold both: then the other one is left out, who is still kept."""
    try:
        purchases = one.purchases.plus(other.purchases)
    except BeyondTheBooks:
        return one
    return Part(purchases, None if unknown(one) or unknown(other) else earliest(one.first, other.first))


def unknown(part: Part) -> bool:
    """Known from before first orders were kept: what else is known is not how they came."""
    return bool(part.purchases.records) and part.first is None


def together(
    parts: Mapping[str, Part], trees: Mapping[str, list[str]], hidden: Collection[str] = ()
) -> dict[str, tuple[Part, Bond | None]]:
    """What is scored of each customer, and their bond: the root of several has the sum, the others nothing.

    `hidden`: roots of trees with somebody restricted, of which nobody is scored.
    """
    scored: dict[str, tuple[Part, Bond | None]] = {}
    for root, members in trees.items():
        others = tuple(one for one in members if one != root)
        unseen = root in hidden
        whole = Part() if unseen else total(root, {one: parts[one] for one in members})
        scored[root] = whole, Bond(parts[root], members=others, hidden=unseen) if others or unseen else None
        scored |= {one: (Part(), Bond(parts[one], merged_into=root, hidden=unseen)) for one in others}
    return scored
