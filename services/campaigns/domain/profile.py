"""One customer as segments see them, and how the facts of four topics fold into that, in whatever order they come."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal, TypeAlias

from services.campaigns.domain.answers import NEVER, Answer, Ban, answers, bans
from shared.contracts.channels import Address
from shared.contracts.contacts import Contact, ContactChanged, ContactRegistered, ContactRestricted
from shared.contracts.fact import Fact
from shared.contracts.interactions import InteractionRecorded, OrderCancelled, OrderPlaced, OrderReturned
from shared.contracts.scoring import Score, ScoreChanged, ScoreWithdrawn
from shared.moments import to_the_millisecond

Scalar: TypeAlias = str | int | float | bool
Value: TypeAlias = Scalar | Decimal | datetime
Section: TypeAlias = Literal["contact", "score", "sales", "interactions", "restricted", "bond"]

MAX_KINDS = 200
"""Kinds of interaction counted one by one for a customer; what comes beyond counts in the total only, so that a channel
that invents a kind per event cannot blow up a profile."""


@dataclass(slots=True)
class Sales:
    """A customer's orders in figures, less those cancelled and what was returned; first and last of all ever placed."""

    orders: int = 0
    total: Decimal = Decimal(0)
    first_order_at: datetime | None = None
    last_order_at: datetime | None = None
    returned: Decimal = Decimal(0)
    cancelled: int = 0


@dataclass(slots=True)
class Seen:
    """How often, and when last."""

    count: int = 0
    last_at: datetime | None = None


@dataclass(slots=True)
class Figures:
    """What came under a customer's id that is of all who are one: what was bought and done, and that it must not be used."""

    sales: Sales
    interactions: Seen
    kinds: dict[str, Seen]
    restricted: bool = False


@dataclass(slots=True)
class Profile:
    """All that a segment can ask of one customer. `touched` names the sections that differ from what is stored.

    Of several who are one each has a profile, with what came under the own id. Rules ask the survivor's only.
    """

    customer_id: str
    contact: dict[str, Value] = field(default_factory=dict)
    attributes: dict[str, Scalar] = field(default_factory=dict)
    consents: dict[str, dict[str, Answer]] = field(default_factory=dict)
    """The standing answer by purpose and channel; `any` holds for channels without an answer of their own."""
    do_not_contact: tuple[Ban, ...] = ()
    absorbed: tuple[str, ...] = ()
    """Who was part of the customer when the contact was told."""
    score: dict[str, Value] = field(default_factory=dict)
    sales: Sales = field(default_factory=Sales)
    interactions: Seen = field(default_factory=Seen)
    kinds: dict[str, Seen] = field(default_factory=dict)
    restricted: bool = False
    """Kept, and in no segment: no rule finds the customer."""
    touched: set[Section] = field(default_factory=set)
    merged_into: str | None = None
    """The survivor who answers for this customer."""
    members: tuple[str, ...] = ()
    """All who were merged into this one; `bond` is this and the last."""
    whole: Figures | None = None
    """Of a survivor, what all make together: one who is restricted hides all."""

    def own(self) -> Figures:
        return Figures(self.sales, self.interactions, self.kinds, self.restricted)


def fold(profile: Profile, fact: Fact) -> None:
    """Take one fact into its customer's profile. Facts of one kind may come in any order."""
    match fact:
        case OrderPlaced():
            take_order(profile, fact)
        case OrderReturned():
            take_return(profile, fact)
        case OrderCancelled():
            take_cancellation(profile, fact)
        case InteractionRecorded():
            take_interaction(profile, fact)
        case ScoreChanged():
            take_score(profile, fact.score)
        case ScoreWithdrawn():
            withdraw_score(profile, fact)
        case ContactRegistered() | ContactChanged():
            take_contact(profile, fact.contact)
        case ContactRestricted():
            profile.restricted = fact.restricted
            profile.touched.add("restricted")
        case _:
            pass


def take_order(profile: Profile, order: OrderPlaced) -> None:
    sales, at = profile.sales, to_the_millisecond(order.ordered_at)
    sales.orders += 1
    sales.total += order.total
    sales.first_order_at = min(sales.first_order_at or at, at)
    sales.last_order_at = max(sales.last_order_at or at, at)
    profile.touched.add("sales")


def take_return(profile: Profile, back: OrderReturned) -> None:
    """The order stays one; its money is less."""
    profile.sales.total -= back.total
    profile.sales.returned += back.given_back
    profile.touched.add("sales")


def take_cancellation(profile: Profile, void: OrderCancelled) -> None:
    """The order does not count any more. That something was ordered, and when, stays true."""
    profile.sales.orders -= 1
    profile.sales.total -= void.total
    profile.sales.cancelled += 1
    profile.touched.add("sales")


def take_interaction(profile: Profile, interaction: InteractionRecorded) -> None:
    at = to_the_millisecond(interaction.occurred_at)
    count(profile.interactions, at)
    kind = profile.kinds.get(interaction.kind)
    if kind is None and len(profile.kinds) < MAX_KINDS:
        kind = profile.kinds[interaction.kind] = Seen()
    if kind is not None:
        count(kind, at)
    profile.touched.add("interactions")


def count(seen: Seen, at: datetime) -> None:
    seen.count += 1
    seen.last_at = max(seen.last_at or at, at)


def take_score(profile: Profile, score: Score) -> None:
    """The newest score wins; of two as of the same moment the one told later (a refit without new facts)."""
    as_of = to_the_millisecond(score.as_of)
    known = profile.score.get("as_of", NEVER)
    assert isinstance(known, datetime)
    if as_of < known:
        return
    profile.score = present(
        as_of=as_of,
        segment=score.segment,
        rfm=score.rfm.segment if score.rfm else None,
        value_class=score.value_class,
        value=score.value,
        money=score.money,
        mean_spend=score.mean_spend,
        expected_spend=score.expected_spend,
        expected_purchases=score.expected_purchases,
        p_alive=score.p_alive,
        p_churn=score.p_churn,
        frequency=score.frequency,
        purchases=score.purchases,
        first_purchase=score.first_purchase and to_the_millisecond(score.first_purchase),
        last_purchase=score.last_purchase and to_the_millisecond(score.last_purchase),
    )
    profile.touched.add("score")


def withdraw_score(profile: Profile, gone: ScoreWithdrawn) -> None:
    known = profile.score.get("as_of")
    if isinstance(known, datetime) and to_the_millisecond(gone.as_of) >= known:
        profile.score = {}
        profile.touched.add("score")


def take_contact(profile: Profile, contact: Contact) -> None:
    """A contact fact carries the whole state at one version; an older version never overwrites a newer one."""
    known = profile.contact.get("version", 0)
    assert isinstance(known, int)
    if contact.version <= known:
        return
    address = contact.address or Address()
    profile.contact = present(
        version=contact.version,
        party=contact.party,
        stage=contact.stage,
        language=contact.language,
        country=address.country,
        region=address.region,
        city=address.city,
        postal_code=address.postal_code,
        time_zone=contact.time_zone,
        registered_at=to_the_millisecond(contact.registered_at),
    )
    profile.attributes = {code: value for code, value in contact.attributes.items() if value is not None}
    profile.consents = answers(contact.consents)
    profile.do_not_contact = bans(contact.do_not_contact)
    profile.absorbed = tuple(contact.absorbed)
    profile.touched.add("contact")


def present(**values: Value | None) -> dict[str, Value]:
    return {name: value for name, value in values.items() if value is not None}
