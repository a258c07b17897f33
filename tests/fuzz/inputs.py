"""What is sent to `crm.inbound` and to `POST /v1/events`: events that are right, nearly right and wrong, in each mode.

Of every input is known beforehand what must become of it, or, where a change may well be harmless, that exactly one of
two things must.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from tests.fuzz.batches import Raw
from tests.fuzz.mutation import STRICT, broken, mutated, wrong

SOURCE = "/channels/fuzz"
STRUCTURED, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
CONTACT, SALE, INTERACTION = "crm.contact.reported.v1", "crm.sale.reported.v1", "crm.interaction.reported.v1"
CONTRACT = "crm.contract.reported.v1"
TYPES = (CONTACT, SALE, INTERACTION, CONTRACT)
PROTECTED = frozenset({"customer", "order"})
"""What says which event it is; changed only where the event is then wrong for certain."""
FREE = frozenset({"attributes"})
Document = dict[str, Any]


class Fate(StrEnum):
    """What must become of an event."""

    LETTER = "letter"
    """One dead letter, or over HTTP a refusal, and no effect."""
    EFFECT = "effect"
    """One effect and no dead letter."""
    EITHER = "either"
    """One of the two."""
    NOTHING = "nothing"
    """Neither: it is no event at all, as an empty batch has none."""


@dataclass(frozen=True, slots=True)
class Part:
    """One event in an input. `uid` names its effect: an entry of the history, or for a contact an identifier."""

    uid: str
    fate: Fate
    contact: bool = False


@dataclass(frozen=True, slots=True)
class Input:
    """One record or one request."""

    kind: str
    raw: Raw
    parts: tuple[Part, ...]
    elements: bool = False
    """Whether each part is an element of a batch, with a dead letter of its own."""


def data(kind: str, uid: str, rng: random.Random) -> Document:
    """What a contract takes; nothing in it is anybody else's."""
    scheme = "fuzz-contact" if kind == CONTACT else "fuzz"
    customer = [{"scheme": scheme, "value": uid}]
    if kind == CONTACT:
        return {
            "customer": customer, "reported_at": "2026-01-02T03:04:05Z", "party": "person", "stage": "lead",
            "name": f"N {uid}", "email": f"{uid}@fuzz.example", "language": "de-AT",
            "address": {"lines": ["Street 1"], "postal_code": "1010", "city": "Wien", "country": "AT"},
            "attributes": {"age": 40, "vip": True, "score": 1.5},
            "consents": [{"purpose": "marketing", "channel": "email", "status": "granted", "given_at": "2026-01-02T03:04:05Z"}],
        }  # fmt: skip
    if kind == SALE:
        line = {
            "product": "p1",
            "quantity": "2",
            "value": f"{rng.randrange(10**6) / 100:.2f}",
            "discounts": {"retail": "0.50"},
            "category": "tea",
            "cost": "0.25",
        }
        return {
            "customer": customer, "order": uid, "ordered_at": "2026-01-02T03:04:05+01:00", "store": "s1", "currency": "USD",
            "payment": "card", "parcels": 1, "lines": [line, dict(line, product="p2")],
        }  # fmt: skip
    if kind == CONTRACT:
        return {
            "customer": customer, "contract": uid, "event": rng.choice(("started", "payment-failed", "cancelled", "lapsed")),
            "happened_at": "2026-01-02T03:04:05Z", "reason": "price", "price": "9.90", "currency": "USD",
        }  # fmt: skip
    return {
        "customer": customer, "kind": "call", "occurred_at": "2026-01-02T03:04:05.678Z", "direction": "inbound",
        "campaign": "c1", "minutes": "2.5", "summary": "Asked.", "attributes": {"minutes": 3, "topic": "bill"},
    }  # fmt: skip


def envelope(kind: str, uid: str) -> Document:
    return {"specversion": "1.0", "id": uid, "source": SOURCE, "type": kind, "time": "2026-01-02T03:04:05Z"}


def headers(attributes: Document) -> tuple[tuple[bytes, bytes | None], ...]:
    """Kafka headers of binary mode; a value that is no text is written as JSON, None as null."""
    pairs = [(f"ce_{name}".encode(), _bytes(value)) for name, value in attributes.items()]
    return ((b"content-type", b"application/json"), *pairs)


def _bytes(value: Any) -> bytes | None:
    return None if value is None else value.encode() if isinstance(value, str) else orjson.dumps(value)


def binary(attributes: Document, body: bytes | None, key: bytes | None) -> Raw:
    return Raw(body, key, headers(attributes))


def structured(document: Any, key: bytes | None) -> Raw:
    body = document if isinstance(document, bytes) else dumps(document)
    return Raw(body, key, ((b"content-type", STRUCTURED.encode()),))


def dumps(document: Any) -> bytes:
    """Also what orjson would not write: whole numbers of more than 64 bits stay whole."""
    try:
        return orjson.dumps(document)
    except (TypeError, ValueError):
        import json

        return json.dumps(document).encode()


BAD_IDS: tuple[Any, ...] = (None, "", 7, [], {}, "x" * 513, True, 1.5)
BAD_TYPES: tuple[Any, ...] = (
    None,
    "",
    7,
    [],
    "crm.unknown.v1",
    "crm.sale.reported.v2",
    "CRM.SALE.REPORTED.V1",
    "\0",
    "x" * 9000,
    "order",
)
BAD_TIMES: tuple[Any, ...] = ("", "now", "2026-01-01", "2026-01-01T00:00:00", "1899-01-01T00:00:00Z", "9999-01-01T00:00:00Z", 7, [], {}, "0001-01-01T00:00:00+23:59")  # fmt: skip
BAD_CUSTOMERS: tuple[Any, ...] = (
    None, [], {}, "x", 7, [None], [{}], [[]], [{"scheme": "fuzz"}], [{"value": "x"}], [{"scheme": "fuzz", "value": ""}],
    [{"scheme": "fuzz", "value": "x" * 257}], [{"scheme": "UPPER", "value": "x"}], [{"scheme": "a b", "value": "x"}],
    [{"scheme": "", "value": "x"}], [{"scheme": "fuzz", "value": 7}], [{"scheme": "fuzz", "value": "x\2"}], [{"scheme": "fuzz", "value": "x"}] * 11,
)  # fmt: skip


class Inputs:
    """Draws inputs, each with names of its own."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.mark = f"{seed:x}"
        self._made = 0

    def uid(self) -> str:
        self._made += 1
        return f"f{self.mark}-{self._made}"

    def any(self) -> Input:
        """Half of them nearly right, the rest wrong for certain, a few right."""
        return self.rng.choice(
            (
                self.near,
                self.near,
                self.near,
                self.near,
                self.right,
                self.wrong_field,
                self.wrong_envelope,
                self.malformed,
                self.batch,
            )
        )()

    def right(self) -> Input:
        return self._single("right", Fate.EFFECT, lambda kind, uid: data(kind, uid, self.rng))

    def near(self) -> Input:
        return self._single(
            "near-valid", Fate.EITHER, lambda kind, uid: mutated(self.rng, data(kind, uid, self.rng), PROTECTED)
        )

    def wrong_field(self) -> Input:
        return self._single("wrong field", Fate.LETTER, self._wrong_data)

    def _wrong_data(self, kind: str, uid: str) -> Document:
        rng = self.rng
        made = data(kind, uid, rng)
        match rng.choice(("customer", "leaf", "leaf", "whole", "drop")):
            case "customer":
                made["customer"] = rng.choice(BAD_CUSTOMERS)
            case "leaf":
                made = wrong(rng, made, FREE)
            case "whole":
                found: Any = rng.choice((None, [], 7, "text", True, {}, [made]))
                return found  # type: ignore[no-any-return]
            case _:
                del made["customer"]
        return made

    def wrong_envelope(self) -> Input:
        rng, uid, kind = self.rng, self.uid(), self.rng.choice(TYPES)
        told = envelope(kind, uid)
        name = rng.choice(("specversion", "id", "source", "type", "time"))
        values = {
            "id": BAD_IDS,
            "source": BAD_IDS,
            "type": BAD_TYPES,
            "time": BAD_TIMES,
            "specversion": (None, "", "0.3", 1.0, "1", []),
        }
        value = rng.choice(values[name])
        as_binary = rng.random() < 0.5 and (value is None or isinstance(value, str))
        if value is None and name != "time":
            del told[name]
        else:
            told[name] = value
        body = data(kind, uid, rng)
        raw = binary(told, dumps(body), uid.encode()) if as_binary else structured(told | {"data": body}, uid.encode())
        return Input("wrong envelope", raw, (Part(uid, Fate.LETTER, kind == CONTACT),))

    def malformed(self) -> Input:
        rng, uid, kind = self.rng, self.uid(), self.rng.choice(TYPES)
        told, made = envelope(kind, uid), data(kind, uid, rng)
        raw = (
            binary(told, broken(rng, made, STRICT), uid.encode())
            if rng.random() < 0.5
            else structured(broken(rng, told | {"data": made}), uid.encode())
        )
        return Input("malformed", raw, (Part(uid, Fate.LETTER, kind == CONTACT),))

    def batch(self, most: int = 12) -> Input:
        rng = self.rng
        parts, documents = [], []
        for _ in range(rng.randrange(most + 1)):
            uid, kind = self.uid(), rng.choice(TYPES)
            fate = rng.choice((Fate.EFFECT, Fate.EITHER, Fate.LETTER))
            made: Any = data(kind, uid, rng)
            if fate is Fate.EITHER:
                made = mutated(rng, made, PROTECTED)
            elif fate is Fate.LETTER:
                made = self._wrong_data(kind, uid)
            document: Any = envelope(kind, uid) | {"data": made}
            if fate is Fate.LETTER and rng.random() < 0.3:
                document = rng.choice(
                    (None, 7, "x", [], [document], {}, document | {"id": None}, document | {"data_base64": "e30="})
                )
            parts.append(Part(uid, fate, kind == CONTACT))
            documents.append(document)
        raw = Raw(dumps(documents), b"batch", ((b"content-type", BATCH.encode()),))
        return Input("batch", raw, tuple(parts), elements=True)

    def noise(self) -> Input:
        """Bytes of no meaning under any key, header and time."""
        rng, uid = self.rng, self.uid()
        value = rng.choice(
            (None, b"", b"null", b"[" * 5000, b"7", b'"x"', rng.randbytes(rng.randrange(1, 400)) + b"\xff")
        )
        key = rng.choice((None, b"", uid.encode(), rng.randbytes(8), b"k" * 3000))
        raw = Raw(value, key, self._hostile_headers(), rng.choice((None, None, 0, 1, 10**12)))
        return Input("raw bytes", raw, (Part(uid, Fate.LETTER),))

    def _hostile_headers(self) -> tuple[tuple[bytes, bytes | None], ...]:
        rng = self.rng
        choices: tuple[tuple[tuple[bytes, bytes | None], ...], ...] = (
            (),
            ((rng.randbytes(3) + b"\xff", rng.randbytes(5)),),
            ((b"", None), (b"", b"")),
            ((b"ce_type", b"\xff\xfe"), (b"ce_id", None)),
            ((b"ce_type", SALE.encode()), (b"ce_type", CONTACT.encode())),
            ((b"content-type", b"\xff"),),
            ((b"content-type", b"application/avro"), (b"ce_id", b"x")),
            ((b"x", rng.randbytes(rng.choice((10, 5_000, 100_000)))),),
            tuple((b"h%d" % n, None) for n in range(rng.choice((3, 500)))),
            ((b"rapport-replay-of", b"x"), (b"rapport-reason", b"no-such"), (b"rapport-partition", b"nine")),
            ((b"correlation_id", b"\xff"), (b"ce_correlationid", b"\xff"), (b"ce_sequence", b"\xff")),
        )
        return rng.choice(choices)

    def _single(self, name: str, fate: Fate, make: Any) -> Input:
        uid, kind = self.uid(), self.rng.choice(TYPES)
        told, made = envelope(kind, uid), make(kind, uid)
        key = self.rng.choice((uid.encode(), None, b"same"))
        as_binary = self.rng.random() < 0.5
        raw = binary(told, dumps(made), key) if as_binary else structured(told | {"data": made}, key)
        return Input(name, raw, (Part(uid, fate, kind == CONTACT),))
