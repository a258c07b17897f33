"""Records that nobody can take, each made from a right one. Each keeps its event id or its order number, to be known by."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.load.messages import Headers, Message


class Poison(NamedTuple):
    """One way to break a sale, and the reason that its dead letter must give."""

    name: str
    reason: str
    do: Callable[[Message], tuple[bytes, Headers]]


def body(change: Callable[[bytes], bytes]) -> Callable[[Message], tuple[bytes, Headers]]:
    return lambda message: (change(message.value), message.headers)


def header(name: str, value: bytes | None) -> Callable[[Message], tuple[bytes, Headers]]:
    return lambda message: (message.value, [(key, value if key == name else kept) for key, kept in message.headers])


POISONS = (
    Poison("cut-off", "malformed", body(lambda value: value[:-7])),
    Poison("not-utf8", "malformed", body(lambda value: value.replace(b'"store":"', b'"store":"\xff\xfe'))),
    Poison("not-json", "malformed", body(lambda value: b"\x00\x01\x02" + value)),
    Poison("empty", "empty", body(lambda value: b"")),
    Poison("a-list", "invalid-data", body(lambda value: b"[" + value + b"]")),
    Poison("nobody", "missing-identifier", body(lambda value: b'{"customer":[]' + value[value.index(b"]") + 1 :])),
    Poison("no-lines", "invalid-data", body(lambda value: value[: value.index(b'"lines"')] + b'"lines":[]}')),
    Poison("no-number", "invalid-data", body(lambda value: value.replace(b'"value":"', b'"value":"about ', 3))),
    Poison("foreign", "wrong-currency", body(lambda value: value.replace(b'"USD"', b'"EUR"'))),
    Poison("no-currency", "wrong-currency", body(lambda value: value.replace(b'"USD"', b'"US$"'))),
    Poison("far-future", "implausible-time", body(lambda value: value.replace(b'"ordered_at":"20', b'"ordered_at":"90'))),
    Poison("unknown-type", "unknown-type", header("ce_type", b"crm.sale.imagined.v1")),
    Poison("no-id", "invalid-envelope", header("ce_id", None)),
    Poison("no-source", "invalid-envelope", header("ce_source", b"")),
    Poison("old-version", "invalid-envelope", header("ce_specversion", b"0.3")),
)  # fmt: skip
BY_NAME = {poison.name: poison for poison in POISONS}


def broken(message: Message, poison: Poison) -> Message:
    value, headers = poison.do(message)
    return Message(message.entry._replace(poison=poison.name), message.key, value, headers)
