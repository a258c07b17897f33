"""Thirteen ways in which a channel system gets an event wrong, and the reason Rapport must give for each."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import orjson

from demo.emitters.event import Event
from demo.emitters.systems import Transport

TOO_MANY_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class Message:
    """An event on its way: the envelope's attributes and the body, both of which may be wrong by now."""

    attributes: dict[str, Any]
    data: Any
    raw: bytes | None = None
    """The body's bytes where they are not the data's JSON."""

    @property
    def body(self) -> bytes:
        return orjson.dumps(self.data) if self.raw is None else self.raw

    def saying(self, **changed: Any) -> "Message":
        return replace(self, data=self.data | changed)

    def called(self, **attributes: Any) -> "Message":
        return replace(self, attributes=self.attributes | attributes)

    def written(self, body: bytes) -> "Message":
        return replace(self, raw=body)


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to break a message."""

    name: str
    reason: str
    do: Callable[[Message], Message]
    transports: tuple[Transport, ...] = ("http", "kafka")


def not_a_number(message: Message) -> Message:
    lines = deepcopy(message.data["lines"])
    lines[0]["value"] = "twelve"
    return message.saying(lines=lines)


FAULTS = (
    Fault("bad-json", "malformed", lambda message: message.written(message.body[:-7])),
    Fault("bad-utf8", "malformed", lambda message: message.written(b'{"order": "\xff\xfe\xc0"}')),
    Fault("too-deep", "malformed", lambda message: message.written(b"[" * 100_000)),
    Fault("empty-body", "empty", lambda message: message.written(b"")),
    Fault("too-large", "too-large", lambda message: message.saying(remark="x" * TOO_MANY_BYTES)),
    Fault("no-customer", "missing-identifier", lambda message: message.saying(customer=[])),
    Fault("unknown-type", "unknown-type", lambda message: message.called(type="crm.sale.imagined.v1")),
    Fault("null-id", "invalid-envelope", lambda message: message.called(id=None)),
    Fault("empty-id", "invalid-envelope", lambda message: message.called(id="")),
    Fault("no-currency", "wrong-currency", lambda message: message.saying(currency="US$")),
    # A currency of the world, but not of this company: valid at the gate, refused where the books are kept.
    Fault("foreign-currency", "wrong-currency", lambda message: message.saying(currency="EUR"), ("kafka",)),
    Fault("year-9999", "implausible-time", lambda message: message.saying(ordered_at="9999-12-31T23:59:59Z")),
    Fault("not-a-number", "invalid-data", not_a_number),
)
WAYS = tuple((fault, transport) for fault in FAULTS for transport in fault.transports)


def broken(event: Event, fault: Fault) -> Message:
    """A wrong event made after a right one; its own id keeps it from being taken for a second copy."""
    message = Message(event.envelope(), event.data).called(id=f"{event.id}-{fault.name}")
    return fault.do(message.saying(order=f"{event.data['order']}-{fault.name}"))
