"""What parties are to each other: works at, belongs to, is a site of. Which links there can be, and which of them hold. Pure.

A link is kept with the party of whom there can be only few of its kind (`kind` as in `HeldKind`): the employee, the member, the
subsidiary. Everything said is kept, in whatever order it came and however little it fits; whether it holds is asked on reading.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, get_args

from shared.contracts.contacts import Contact
from shared.contracts.parties import HeldKind, LinkKind, PartyLink

MAX_LINKS = 20
"""Of each kind, those that are over too; the longest unsaid give way. A contact must fit a log record."""
ANYBODY = ("person", "organisation", "household")


class Rule(NamedTuple):
    """What a kind of link is called at the other end, and which parties it can join."""

    other_end: LinkKind
    holders: tuple[str, ...]
    others: tuple[str, ...]


RULES: dict[HeldKind, Rule] = {
    "works-at": Rule("employs", ("person",), ("organisation",)),
    "decides-at": Rule("decided-by", ("person",), ("organisation",)),
    "member-of": Rule("has-member", ("person",), ("household",)),
    "subsidiary-of": Rule("parent-of", ("organisation",), ("organisation",)),
    "site-of": Rule("has-site", ("organisation",), ("organisation",)),
    "referred-by": Rule("referred", ANYBODY, ANYBODY),
    "sold-through": Rule("sells-to", ANYBODY, ("person", "organisation")),
}
TURNED: dict[LinkKind, HeldKind] = {rule.other_end: kind for kind, rule in RULES.items()}
HELD: frozenset[str] = frozenset(get_args(HeldKind))
UPWARD: frozenset[HeldKind] = frozenset({"subsidiary-of", "site-of"})
"""The links that make hierarchies. Of both kinds together a party has one at a time."""


class Ends(NamedTuple):
    """A link with its direction made plain: whose it is, of which kind, to whom."""

    holder: str
    kind: HeldKind
    to: str


def ends(customer: str, kind: LinkKind, other: str) -> Ends:
    """The link that `customer` says it has to `other`, whichever end they are."""
    return Ends(other, TURNED[kind], customer) if kind in TURNED else Ends(customer, _held(kind), other)


def _held(kind: LinkKind) -> HeldKind:
    return next(held for held in RULES if held == kind)


def merged(held: Iterable[PartyLink], told: Iterable[PartyLink]) -> list[PartyLink]:
    """All of them: of each kind to each party the latest said, with when it was last said to be so. Sorted.

    Commutative, associative and idempotent.
    """
    latest: dict[tuple[str, str], PartyLink] = {}
    for one in (*held, *told):
        place = one.kind, one.to
        latest[place] = _later(latest[place], one) if place in latest else one
    of_kind: defaultdict[str, list[PartyLink]] = defaultdict(list)
    for one in latest.values():
        of_kind[one.kind].append(one)
    kept = [one for same in of_kind.values() for one in sorted(same, key=_said, reverse=True)[:MAX_LINKS]]
    return sorted(kept, key=lambda one: (one.kind, one.to))


def _later(one: PartyLink, other: PartyLink) -> PartyLink:
    """Of two said in the same millisecond the end holds, then the greater text, so that arrival does not decide."""
    latest = max(one, other, key=lambda link: (link.said_at, link.ended, _text(link)))
    stated_at = max((at for at in (one.stated_at, other.stated_at) if at), default=None)
    return latest if latest.stated_at == stated_at else latest.model_copy(update={"stated_at": stated_at})


def _text(link: PartyLink) -> str:
    # Without the times, which differ between what was said and what it was brought up to.
    return link.model_dump_json(exclude={"stated_at"})


def _said(link: PartyLink) -> tuple[datetime, str]:
    return link.said_at, link.to


def over(link: PartyLink, now: datetime) -> str | None:
    """Why a link does not hold by itself at a time; None if it does."""
    if link.ended:
        return "ended"
    if link.valid_from and link.valid_from > now:
        return "not-yet"
    return "over" if link.valid_until and link.valid_until <= now else None


def upward(links: Sequence[PartyLink], now: datetime) -> PartyLink | None:
    """The link to the party above, at a time. Who is given another parent has left the one before, even if the other ends:
    of those that have begun the one that was last said to be so counts, and no other.
    """
    said = [one for one in _begun(links, now) if one.stated_at]
    latest = max(said, key=lambda one: (one.stated_at, one.kind, one.to), default=None)
    return latest if latest and over(latest, now) is None else None


def _begun(links: Iterable[PartyLink], now: datetime) -> list[PartyLink]:
    return [one for one in links if one.kind in UPWARD and not (one.valid_from and one.valid_from > now)]


def last_above(links: Iterable[PartyLink], parties: Collection[str], now: datetime) -> datetime | None:
    """When one of these parties was last said to be above, of what has begun at a time; None: never."""
    above = [one for one in _begun(links, now) if one.to in parties]
    return max((one.stated_at for one in above if one.stated_at), default=None)


def without(links: Iterable[PartyLink], parties: Collection[str], above_until: datetime | None) -> list[PartyLink]:
    """The links but for those to these parties, of whom nothing may be left.

    Whoever was above before one of them was (`above_until`, as `last_above` has it) does not come back by that.
    """
    return [_left(one, above_until) for one in links if one.to not in parties]


def _left(link: PartyLink, above_until: datetime | None) -> PartyLink:
    superseded = above_until and link.kind in UPWARD and link.stated_at and link.stated_at <= above_until
    if not superseded or link.ended:
        return link
    return link.model_copy(update={"ended": True, "said_at": above_until})


def trouble(holder: Contact, link: PartyLink, other: Contact | None, now: datetime) -> str | None:
    """Why a link does not hold, in a word; None if it does. `holder` and `other`: as all their parts make them."""
    if reason := over(link, now):
        return reason
    if other is None:
        return "unknown-party"
    if other.customer_id == holder.customer_id:
        return "same-party"
    if link.kind in UPWARD and upward(holder.links, now) != link:
        return "superseded"
    return None if fits(link.kind, holder, other) else "wrong-party"


def fits(kind: HeldKind, holder: Contact, other: Contact) -> bool:
    """Whether a kind of link can join these parties."""
    return holder.party in RULES[kind].holders and other.party in RULES[kind].others


def implied(parties: tuple[str, ...]) -> str | None:
    """The kind of party that somebody must be at this end of a link, if it can be only one."""
    return parties[0] if len(parties) == 1 else None
