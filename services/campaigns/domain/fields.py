"""The fields a segment may ask for: name, kind of value, and how to read each from a profile. Nothing else is askable."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from re import fullmatch
from typing import TypeAlias, get_args

from services.campaigns.domain.answers import answer
from services.campaigns.domain.profile import Profile, Value
from shared.consent import ANY, barred
from shared.contracts.scoring import RfmSegment

ATTRIBUTE = "contact.attributes."
CODE = r"[a-z0-9][a-z0-9._-]{0,63}"
Reader: TypeAlias = Callable[[Profile], Value | None]


class Kind(StrEnum):
    """What values a field has, and so which questions make sense."""

    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    TIME = "time"
    FLAG = "flag"
    """True or false of every customer; never absent."""
    ANY = "any"
    """A contact's own attributes: text, number or true/false, as the channel sent it."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field or, where `name` ends in a placeholder, a family of fields."""

    name: str
    kind: Kind
    about: str
    words: tuple[str, ...] = ()
    """The only values there are, where that is known."""
    from_zero: bool = False
    """A figure that every customer has: without any order or interaction it is zero, never absent."""


CONSENTS = ("granted", "denied", "withdrawn", "expired")
FORBIDDEN = "do-not-contact"
VALUE_CLASSES = ("A", "B", "C", "L")
SEGMENTS = ("new", "valuable", "valuable-slipping", "regular", "slipping", "gone")

FIELDS = {
    field.name: field
    for field in (
        Field("contact.party", Kind.TEXT, "what the customer is", ("person", "organisation", "household")),
        Field("contact.stage", Kind.TEXT, "how far the customer has come", ("lead", "prospect", "customer")),
        Field("contact.language", Kind.TEXT, "BCP 47, such as de or pt-BR"),
        Field("contact.country", Kind.TEXT, "of the postal address, ISO 3166, such as US"),
        Field("contact.region", Kind.TEXT, "of the postal address"),
        Field("contact.city", Kind.TEXT, "of the postal address"),
        Field("contact.postal_code", Kind.TEXT, "of the postal address"),
        Field("contact.time_zone", Kind.TEXT, "where the customer is, of the IANA database, such as Europe/Vienna"),
        Field("contact.registered_at", Kind.TIME, "when the customer became known"),
        Field("score.segment", Kind.TEXT, "what scoring makes of the customer", SEGMENTS),
        Field("score.rfm", Kind.TEXT, "by recency, frequency and money among all customers", get_args(RfmSegment)),
        Field("score.value_class", Kind.TEXT, "who brought how much: A the first 80 %, B, C; L a loss", VALUE_CLASSES),
        Field("score.value", Kind.MONEY, "expected spend within the horizon"),
        Field("score.money", Kind.MONEY, "spent so far, as scored"),
        Field("score.mean_spend", Kind.MONEY, "spent per purchase day"),
        Field("score.expected_spend", Kind.MONEY, "expected per future purchase day"),
        Field("score.expected_purchases", Kind.NUMBER, "within the horizon"),
        Field("score.p_alive", Kind.NUMBER, "probability that the customer has not left, 0 to 1"),
        Field("score.p_churn", Kind.NUMBER, "probability of no purchase within the horizon, 0 to 1"),
        Field("score.frequency", Kind.NUMBER, "repeat purchase days"),
        Field("score.purchases", Kind.NUMBER, "orders, as scored"),
        Field("score.first_purchase", Kind.TIME, "first purchase, as scored"),
        Field("score.last_purchase", Kind.TIME, "last purchase, as scored"),
        Field("score.as_of", Kind.TIME, "when the score was made"),
        Field("sales.orders", Kind.NUMBER, "number of orders, without those cancelled", from_zero=True),
        Field("sales.total", Kind.MONEY, "sum of these orders, less what was returned", from_zero=True),
        Field("sales.returned", Kind.MONEY, "sum of all returns", from_zero=True),
        Field("sales.cancelled", Kind.NUMBER, "number of orders cancelled", from_zero=True),
        Field("sales.first_order_at", Kind.TIME, "first order ever placed"),
        Field("sales.last_order_at", Kind.TIME, "last order ever placed"),
        Field("interactions.count", Kind.NUMBER, "number of interactions of all kinds", from_zero=True),
        Field("interactions.last_at", Kind.TIME, "last interaction of any kind"),
        Field("do-not-contact", Kind.FLAG, "whether nobody may approach the customer on any channel, when asked"),
    )
}
FAMILIES = (
    Field("contact.attributes.<code>", Kind.ANY, "an attribute of the contact, as the channel calls it"),
    Field("consent.<purpose>", Kind.TEXT, "the standing answer for any channel", CONSENTS),
    Field("consent.<purpose>@<channel>", Kind.TEXT, "the answer in force on one channel when asked", CONSENTS),
    Field("do-not-contact@<channel>", Kind.FLAG, "whether nobody may approach the customer on this channel, or on any"),
    Field("interactions.count.<kind>", Kind.NUMBER, "number of interactions of one kind", from_zero=True),
    Field("interactions.last_at.<kind>", Kind.TIME, "last interaction of one kind"),
)


def find(name: str) -> Field | None:
    """The field of this name, None if there is none."""
    if name in FIELDS:
        return FIELDS[name]
    return next((family for family in FAMILIES if fullmatch(pattern(family), name)), None)


def pattern(family: Field) -> str:
    literal = family.name.replace(".", r"\.")
    for placeholder in ("<code>", "<purpose>", "<channel>", "<kind>"):
        literal = literal.replace(placeholder, CODE)
    return literal


def reader(name: str, now: datetime) -> Reader:
    """How to read a field from a profile, as of `now`. The name must be one that `find` knows."""
    if name.startswith(FORBIDDEN):
        channel = on_channel(name)
        return lambda profile: barred(profile.do_not_contact, channel, now) is not None
    section, _, rest = name.partition(".")
    if section == "consent":
        purpose, channel = rest.partition("@")[0], on_channel(rest)
        return lambda profile: answer(profile.consents, purpose, channel, now)
    if section == "sales":
        return lambda profile: getattr(profile.sales, rest)
    if section == "score":
        return lambda profile: profile.score.get(rest)
    return interaction_reader(rest) if section == "interactions" else contact_reader(rest)


def attribute(name: str) -> str | None:
    """The code of the contact's attribute that a field is; None: it is something else."""
    return name.removeprefix(ATTRIBUTE) if name.startswith(ATTRIBUTE) else None


def contact_reader(rest: str) -> Reader:
    if code := attribute(f"contact.{rest}"):
        return lambda profile: profile.attributes.get(code)
    return lambda profile: profile.contact.get(rest)


def interaction_reader(rest: str) -> Reader:
    """A kind never seen counts zero, like interactions as a whole; its last time is absent."""
    figure, _, kind = rest.partition(".")

    def read(profile: Profile) -> Value | None:
        seen = profile.kinds.get(kind) if kind else profile.interactions
        if figure == "count":
            return seen.count if seen else 0
        return seen.last_at if seen else None

    return read


def on_channel(name: str) -> str:
    """The channel that is named behind an @."""
    return name.partition("@")[2] or ANY
