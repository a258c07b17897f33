"""Numbered customers and what channels tell of them, ready for `crm.inbound`. What becomes of it is not here.

All that names a customer carries a token of ten characters, so that a document of one can become that of another by
exchanging names of the same length (`filling`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Self

import orjson
from aiokafka import AIOKafkaProducer

from tests.bench.growth.platform import Platform

SHOP, TILL = "/channels/bench-shop", "/channels/bench-till"
CARD, ACCOUNT = "bench-card", "bench-account"
BEGIN = datetime(2026, 1, 10, 9, tzinfo=UTC)
ALWAYS = Decimal("3.98")
"""What the line is worth that is in every order."""
IN_FLIGHT = 2_000


@dataclass(frozen=True, slots=True)
class Event:
    """One event as a Kafka record."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]

    @property
    def id(self) -> str:
        return dict(self.headers)["ce_id"].decode()


def token(number: int) -> str:
    """Letters that no id of ours has (they are hexadecimal) around the digits: it is found nowhere by accident."""
    return f"n{number:08d}n"


def card(number: int) -> str:
    return f"{CARD}:{token(number)}"


def event(number: int, source: str, kind: str, name: str, at: datetime, data: dict[str, Any]) -> Event:
    scheme = ACCOUNT if source == SHOP else CARD
    attributes = {
        "specversion": "1.0",
        "id": f"{name}-{token(number)}",
        "source": source,
        "type": f"crm.{kind}.reported.v1",
        "time": at.isoformat(),
    }
    headers = [(f"ce_{key}", value.encode()) for key, value in attributes.items()]
    headers.append(("content-type", b"application/json"))
    return Event(f"{scheme}:{token(number)}".encode(), orjson.dumps(data), headers)


def contact(number: int, name: str, at: datetime, **told: Any) -> Event:
    """The shop knows both of its customer's names, and so makes one customer of them."""
    one = token(number)
    customer = [{"scheme": ACCOUNT, "value": one}, {"scheme": CARD, "value": one}]
    consent = {"purpose": "shopping", "status": "granted", "given_at": BEGIN.isoformat()}
    data = {
        "customer": customer,
        "reported_at": at.isoformat(),
        "party": "person",
        "name": f"Customer {one}",
        "email": f"{one}@bench.example",
        "address": {"lines": ["1 Bench Street"], "postal_code": "12345", "city": "Bern", "country": "CH"},
        "consents": [consent],
    }
    return event(number, SHOP, "contact", name, at, data | told)


def sale(number: int, name: str, at: datetime, value: str = "12.50") -> Event:
    """At the till, where the card is all that is known; `name` is part of the order's number."""
    data = {
        "customer": [{"scheme": CARD, "value": token(number)}],
        "order": f"{name}-{token(number)}",
        "ordered_at": at.isoformat(),
        "store": "store-1",
        "currency": "USD",
        "lines": [
            {"product": "P-1", "quantity": "1", "value": value},
            {"product": "P-2", "quantity": "2", "value": f"{ALWAYS}"},
        ],
    }
    return event(number, TILL, "sale", name, at, data)


def interaction(number: int, name: str, at: datetime, source: str = SHOP, **told: Any) -> Event:
    scheme = ACCOUNT if source == SHOP else CARD
    data = {
        "customer": [{"scheme": scheme, "value": token(number)}],
        "kind": "page-view",
        "occurred_at": at.isoformat(),
        "direction": "inbound",
        "attributes": {"page": "/offers/today", "seconds": 12},
    }
    return event(number, source, "interaction", name, at, data | told)


def introductions(numbers: Iterable[int]) -> list[Event]:
    return [contact(number, "c1", first_seen(number)) for number in numbers]


def deeds(numbers: Iterable[int]) -> list[Event]:
    """Two orders some weeks apart, and an interaction."""
    events: list[Event] = []
    for number in numbers:
        at = first_seen(number)
        first, second = values(number)
        events += [
            sale(number, "s1", at + timedelta(days=3), first),
            sale(number, "s2", at + timedelta(days=20 + number % 40), second),
            interaction(number, "i1", at + timedelta(days=70)),
        ]
    return events


def values(number: int) -> tuple[str, str]:
    """What a customer's two orders are worth, but for the line that is in every order."""
    return f"{number % 90 + 10}.25", f"{number % 70 + 10}.75"


def spent_by(number: int) -> Decimal:
    return sum((Decimal(value) + ALWAYS for value in values(number)), Decimal(0))


def first_seen(number: int) -> datetime:
    return BEGIN + timedelta(minutes=number % 200_000)


class Road:
    """Into Kafka, in order for each customer and channel, acknowledged."""

    def __init__(self, platform: Platform) -> None:
        self.topic = f"{platform.namespace}crm.inbound"
        self.producer = AIOKafkaProducer(
            bootstrap_servers=platform.bootstrap, enable_idempotence=True, linger_ms=5, acks="all"
        )

    async def __aenter__(self) -> Self:
        await self.producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.producer.stop()

    async def send(self, events: Sequence[Event]) -> None:
        """All of them, as fast as the broker takes them."""
        waiting: list[Any] = []
        for one in events:
            waiting.append(await self.start(one))
            if len(waiting) == IN_FLIGHT:
                for sent in waiting:
                    await sent
                waiting.clear()
        for sent in waiting:
            await sent

    async def start(self, one: Event) -> Any:
        """On its way; await what is returned for the broker's word."""
        return await self.producer.send(self.topic, key=one.key, value=one.value, headers=one.headers)
