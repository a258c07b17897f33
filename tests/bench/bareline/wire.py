"""What passes along the bare line: topics, keys, kinds, and texts of the lengths that ours have. Nothing of it is decoded."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Sequence
from hmac import digest
from typing import Any, NamedTuple, TypeAlias

from deploy.local import platform
from tests.bench.trial.watch import INTERACTIONS, SALES, SCORES
from tests.load.roads import INBOUND

PARTITIONS = platform.DEFAULT_PARTITIONS
CUSTOMERS = "crm.customers"
TOPICS = (INBOUND, SALES, INTERACTIONS, SCORES, CUSTOMERS)
SALE, INTERACTION, CONTACT = b"sale", b"interaction", b"contact"
SECRET = b"the bare line's own secret"


class Length(NamedTuple):
    """Bytes, as a load of the latency section's kind has left them in the platform's topics and oplog."""

    entry: int = 400
    fact: int = 590
    state: int = 700
    score: int = 450
    profile: int = 180
    view: int = 1_750
    contact: int = 1_100


LENGTH = Length()
Headers: TypeAlias = Sequence[tuple[str, bytes | None]]
Record: TypeAlias = Any
"""aiokafka's, which has no types."""


class Message(NamedTuple):
    """A record to be."""

    topic: str
    partition: int
    key: bytes
    value: bytes


def kind_of(headers: Headers) -> bytes:
    """An inbound record's, as its type says."""
    return header(headers, "ce_type").split(b".", 2)[1]


def header(headers: Headers, wanted: str) -> bytes:
    return next(value or b"" for name, value in headers if name == wanted)


def reporter(key: bytes) -> int:
    """The load's number of the customer, by an inbound record's key."""
    return int(key[-7:])


def customer_id(customer: int) -> bytes:
    return b"00000000-0000-0000-0000-%012d" % customer


def customer_of(key: bytes) -> int:
    """The same, by a domain topic's."""
    return int(key[-12:])


def to(topic: str, customer: int, value: bytes) -> Message:
    return Message(topic, customer % PARTITIONS, customer_id(customer), value)


def text(of: bytes, length: int) -> bytes:
    """As long as it is to be, of what came: what is always the same would be compressed to nothing."""
    return (of * (length // max(1, len(of)) + 1))[:length]


def score(purchases: int, of: bytes) -> bytes:
    """Says what an observer looks for."""
    return b'{"purchases":%d,"of":%b' % (purchases, text(of, LENGTH.score))


def view(customer: int, orders: int, interactions: int, of: bytes) -> bytes:
    """Says what receivers look for, in one line, because a stream's events are told apart by their lines' ends."""
    told = b'{"customer_id":"%b","card":"card-%07d","orders":%d,"interactions":%d,"of":%b'
    return told % (customer_id(customer), customer, orders, interactions, text(of, LENGTH.view))


def signed(body: bytes, number: int) -> bytes:
    """The headers of Standard Webhooks."""
    name, moment = b"msg_%d" % number, b"%d" % time.time()
    signature = b64encode(digest(SECRET, b"%b.%b.%b" % (name, moment, body), "sha256"))
    return b"webhook-id: %b\r\nwebhook-timestamp: %b\r\nwebhook-signature: v1,%b\r\n" % (name, moment, signature)


def secrets() -> dict[str, str]:
    """As receivers are told."""
    return {"WEBHOOK_SECRET": "whsec_" + b64encode(SECRET).decode(), "STREAM_KEY": "none"}
