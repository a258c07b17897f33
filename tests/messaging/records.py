"""Kafka records as the tests of the core need them: sales as channels report them, orders as interactions tells them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from aiokafka.structs import ConsumerRecord

from shared.contracts.channels import INBOUND
from shared.contracts.fact import Topic
from shared.contracts.interactions import SALES
from shared.messaging import CloudEvent, Outgoing
from shared.messaging.received import Record

TIME = datetime(2017, 3, 1, 12, 30, tzinfo=UTC)
MILLISECONDS = int(TIME.timestamp() * 1000)
SOURCE = "/channels/shop"
PUBLISHER = "/rapport/interactions"
Headers = Sequence[tuple[str, bytes | None]]


def sale(number: int, customer: str = "c1") -> bytes:
    """The data of a reported sale."""
    return orjson.dumps(
        {
            "customer": [{"scheme": "card", "value": customer}],
            "order": f"o{number}",
            "ordered_at": "2017-01-01T00:00:00Z",
            "currency": "USD",
            "lines": [{"product": "p1", "quantity": "1", "value": "3.86"}],
        }
    )


def customer_id(number: int) -> str:
    return f"01890000-0000-7000-8000-{number:012x}"


def order(number: int, customer: int = 1) -> bytes:
    """The data of a placed order."""
    return orjson.dumps(
        {
            "order_id": f"o{number}",
            "customer_id": customer_id(customer),
            "channel": SOURCE,
            "ordered_at": "2017-01-01T00:00:00Z",
            "currency": "USD",
            "total": "3.86",
            "lines": [],
        }
    )


def reported(number: int, customer: str = "c1", *, data: bytes | None = None) -> Outgoing:
    """A sale on its way to `crm.inbound`, binary mode."""
    data = sale(number, customer) if data is None else data
    event = CloudEvent(id=f"e{number}", source=SOURCE, type="crm.sale.reported.v1", data=data, time=TIME)
    return Outgoing(INBOUND.name, customer.encode(), data, event.headers())


def placed(number: int, customer: int = 1, *, data: bytes | None = None) -> Outgoing:
    """An order on its way to `crm.sales`."""
    data = order(number, customer) if data is None else data
    event = CloudEvent(
        id=f"e{number}", source=PUBLISHER, type="crm.sale.order-placed.v1", data=data, time=TIME, origin=SOURCE
    )
    return Outgoing(SALES.name, customer_id(customer).encode(), data, event.headers())


def sequence(number: int) -> str:
    return f"{number:024x}"


def record(
    outgoing: Outgoing, *, partition: int = 0, offset: int = 0, sequence: str | None = None, namespace: str = ""
) -> Record:
    """The record that the broker would hand out."""
    headers = list(outgoing.headers)
    if sequence is not None:
        headers.append(("ce_sequence", sequence.encode()))
    return raw(
        outgoing.value, headers, topic=namespace + outgoing.topic, key=outgoing.key, partition=partition, offset=offset
    )


def raw(
    value: bytes | None,
    headers: Headers = (),
    *,
    topic: str | Topic = INBOUND,
    key: bytes | None = b"k",
    partition: int = 0,
    offset: int = 0,
    timestamp: int = MILLISECONDS,
) -> Record:
    name = topic if isinstance(topic, str) else topic.name
    made: Any = ConsumerRecord(
        name, partition, offset, timestamp, 0, key, value, None, len(key or b""), len(value or b""), tuple(headers)
    )
    found: Record = made
    return found
