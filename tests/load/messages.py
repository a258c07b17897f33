"""One event as bytes, and its line in the ledger. Everything that can be is made once, because the load shares the CPU."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from tests.load.mix import CARD, Channel, Kind, Mix

TYPES: dict[Kind, str] = {kind: f"crm.{kind}.reported.v1" for kind in ("contact", "interaction", "sale")}
KINDS_OF_MEETING = ("call", "visit", "page-view", "newsletter-opened", "complaint")
PRODUCTS = 1000
DAY = 86_400
SUMMARY = (b"The customer asked about the delivery of the last order and about the offers of the week, and was told that "
           b"the parcel is on its way; wants to be called back about the loyalty points next month.")  # fmt: skip
Headers = list[tuple[str, bytes | None]]


class Entry(NamedTuple):
    """What an independent checker must know of one sending to compute what the platform should hold."""

    number: int
    """The event's number, from 0, which is part of its id. The place of a sending is its place in the plan."""
    event_id: str
    channel: Channel
    kind: Kind
    customer: int
    at: datetime
    """When it happened in the customers' world."""
    order: str | None = None
    total: Decimal = Decimal(0)
    discount: Decimal = Decimal(0)
    said: str = ""
    """A contact's name as reported, an interaction's kind."""
    again: bool = False
    """A second sending: the event with this id has been sent before."""
    poison: str | None = None
    """How it was broken; None where it is right."""


class Message(NamedTuple):
    """One sending: the ledger's entry and the Kafka record."""

    entry: Entry
    key: bytes | None
    value: bytes
    headers: Headers

    @property
    def structured(self) -> bytes:
        """The event in CloudEvents' JSON format, for HTTP batches."""
        entry = self.entry
        return b'{"specversion":"1.0","id":"%b","source":"%b","type":"%b","datacontenttype":"application/json","data":%b}' % (
            entry.event_id.encode(),
            entry.channel.source.encode(),
            TYPES[entry.kind].encode(),
            self.value,
        )  # fmt: skip


class Line(NamedTuple):
    """A sale's line, ready to be used in any sale. Money in cents."""

    text: bytes
    value: int
    discount: int


def line(product: int, chance: random.Random) -> Line:
    value, discount = chance.randrange(50, 9_999), chance.choice((0, 0, 25, 150))
    text = b'{"product":"product-%04d","quantity":"%d","value":"%d.%02d"' % (
        product,
        chance.randrange(1, 4),
        *divmod(value, 100),
    )
    if discount:
        text += b',"discounts":{"retail":"%d.%02d"}' % divmod(discount, 100)
    return Line(text + b"}", value, discount)


class Writer:
    """Writes events of one mix."""

    def __init__(self, mix: Mix) -> None:
        self._tag = mix.tag
        self._begins, self._apart = mix.begins, mix.seconds_apart
        self._since = mix.begins.timestamp()
        assortment = random.Random("assortment")
        self._lines = [line(product, assortment) for product in range(PRODUCTS)]
        self._days: dict[int, bytes] = {}
        self._fixed = {
            (channel, kind): self._headers(channel, kind) for channel in mix.channels for kind in TYPES
        }  # fmt: skip
        self._bodies: dict[Kind, Callable[..., tuple[bytes, dict[str, object]]]] = {
            "contact": self._contact,
            "interaction": self._interaction,
            "sale": self._sale,
        }

    @staticmethod
    def _headers(channel: Channel, kind: Kind) -> Headers:
        return [
            ("content-type", b"application/json"),
            ("ce_specversion", b"1.0"),
            ("ce_source", channel.source.encode()),
            ("ce_type", TYPES[kind].encode()),
        ]

    def write(self, number: int, channel: Channel, kind: Kind, customer: int, chance: random.Random) -> Message:
        event_id = f"{self._tag}-{number}"
        scheme, seconds = channel.scheme.encode(), self._since + int(number * self._apart)
        opening = b'{"customer":[{"scheme":"%b","value":"%b-%07d"},{"scheme":"%b","value":"card-%07d"}]' % (
            *(scheme, scheme, customer),
            *(CARD.encode(), customer),
        )
        rest, facts = self._bodies[kind](number, customer, self._time(seconds), chance)
        entry = Entry(number, event_id, channel, kind, customer, datetime.fromtimestamp(seconds, UTC), **facts)  # type: ignore[arg-type]
        key = b"%b:%b-%07d" % (scheme, scheme, customer)
        return Message(entry, key, opening + rest, [*self._fixed[channel, kind], ("ce_id", event_id.encode())])

    def _contact(self, number: int, customer: int, at: bytes, _: random.Random) -> tuple[bytes, dict[str, object]]:
        name = f"Customer {customer} of report {number}"
        text = (
            b',"reported_at":"%b","party":"person","stage":"customer","name":"%b","email":"customer-%d@example.org",'
            b'"language":"en","address":{"lines":["%d High Street"],"postal_code":"%05d","city":"Springfield","country":"US"},'
            b'"attributes":{"household-size":%d,"newsletter":true,"club":"silver"}}'
        )
        given = (at, name.encode(), customer, customer % 99 + 1, customer % 100_000, customer % 5 + 1)
        return text % given, {"said": name}

    def _interaction(
        self, number: int, customer: int, at: bytes, chance: random.Random
    ) -> tuple[bytes, dict[str, object]]:
        kind = KINDS_OF_MEETING[int(chance.random() * len(KINDS_OF_MEETING))]
        text = b',"kind":"%b","occurred_at":"%b","direction":"inbound","summary":"%b","attributes":{"till":%d}}'
        return text % (kind.encode(), at, SUMMARY, number % 40), {"said": kind}

    def _sale(self, number: int, customer: int, at: bytes, chance: random.Random) -> tuple[bytes, dict[str, object]]:
        draw = int(chance.random() * 4 * PRODUCTS)
        first, count = draw % PRODUCTS, 2 + draw // PRODUCTS % 2
        lines = self._lines[first : first + count]
        order = f"{self._tag}-order-{number}"
        text = b',"order":"%b","ordered_at":"%b","store":"store-%03d","currency":"USD","lines":[%b]}' % (
            order.encode(),
            at,
            customer % 400,
            b",".join([line.text for line in lines]),
        )
        value = sum([line.value for line in lines])
        discount = sum([line.discount for line in lines])
        return text, {"order": order, "total": cents(value), "discount": cents(discount)}

    def _time(self, seconds: float) -> bytes:
        """RFC 3339, in UTC. Most of it is the same for a whole day."""
        day, second = divmod(int(seconds), DAY)
        if (known := self._days.get(day)) is None:
            known = self._days[day] = datetime.fromtimestamp(day * DAY, UTC).strftime("%Y-%m-%dT").encode()
        minute, second = divmod(second, 60)
        return b"%b%02d:%02d:%02dZ" % (known, minute // 60, minute % 60, second)


def cents(amount: int) -> Decimal:
    return Decimal(amount).scaleb(-2)
