"""Customers who are one: what their parts make together, as rules ask for it. Who belongs to whom is the contracts' rule. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from services.campaigns.domain.profile import MAX_KINDS, Figures, Profile, Sales, Section, Seen

OF_ALL: frozenset[Section] = frozenset({"sales", "interactions", "restricted"})
"""What a survivor's profile says of all parts together."""


def total(root: str, parts: Mapping[str, Figures]) -> Figures:
    """What they have bought and done together, as if all of it had come to the root."""
    whole = parts[root]
    for customer in sorted(parts.keys() - {root}):
        whole = plus(whole, parts[customer])
    return whole


def plus(one: Figures, other: Figures) -> Figures:
    """Commutative and associative, but for kinds of interaction beyond those that are counted one by one."""
    kinds = dict(one.kinds)
    for kind, seen in sorted(other.kinds.items()):
        if kind in kinds or len(kinds) < MAX_KINDS:
            kinds[kind] = seen_by_both(kinds.get(kind, Seen()), seen)
    sales, interactions = sold_to_both(one.sales, other.sales), seen_by_both(one.interactions, other.interactions)
    return Figures(sales, interactions, kinds, one.restricted or other.restricted)


def sold_to_both(one: Sales, other: Sales) -> Sales:
    return Sales(
        one.orders + other.orders,
        one.total + other.total,
        extreme(min, one.first_order_at, other.first_order_at),
        extreme(max, one.last_order_at, other.last_order_at),
        one.returned + other.returned,
        one.cancelled + other.cancelled,
    )


def seen_by_both(one: Seen, other: Seen) -> Seen:
    return Seen(one.count + other.count, extreme(max, one.last_at, other.last_at))


def join(profiles: dict[str, Profile], trees: Mapping[str, Iterable[str]], *, linked: bool) -> None:
    """Make the survivors' profiles say what all parts have done. `linked`: who belongs to whom has changed as well.

    Whoever writes a part writes its root too, and whoever moves a link all whom it concerns, so that two who write for one tree
    at once meet.
    """
    for root, members in trees.items():
        parts = {one: profiles.setdefault(one, Profile(one)) for one in members}
        others = tuple(sorted(parts.keys() - {root}))
        figures_changed = any(OF_ALL & part.touched for part in parts.values())
        for one in others:
            parts[one].merged_into, parts[one].members = root, ()
        survivor = parts[root]
        survivor.merged_into, survivor.members = None, others
        if others:
            survivor.whole = total(root, {one: part.own() for one, part in parts.items()})
        if linked or figures_changed:
            survivor.touched |= OF_ALL | {"bond"}
        if linked:
            for one in others:
                parts[one].touched |= OF_ALL | {"bond"}


def asked(profile: Profile) -> Profile | None:
    """As rules see a customer; None of one who was merged into another, or must not be used."""
    figures = profile.whole or profile.own()
    if profile.merged_into is not None or figures.restricted:
        return None
    return replace(profile, sales=figures.sales, interactions=figures.interactions, kinds=figures.kinds)


def extreme(pick: Callable[..., datetime | None], one: datetime | None, other: datetime | None) -> datetime | None:
    return pick((at for at in (one, other) if at), default=None)
