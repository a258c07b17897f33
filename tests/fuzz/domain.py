"""What is sent to the topics that services write for each other, as a broken or hostile publisher would.

All that listen must refuse what is wrong, each with a letter of its own, and between the wrong there is always something
right, because so many refusals in a row stop a consumer on purpose (`max_consecutive_dead_letters`).
"""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

import orjson

from tests.fuzz.batches import Raw
from tests.fuzz.inputs import Document, binary, dumps
from tests.fuzz.mutation import STRICT, broken, mutated, wrong

EXAMPLES = Path(__file__).parents[2] / "docs/contracts/examples"
LISTENERS = {
    "crm.contacts": ("campaigns", "sync"),
    "crm.interactions": ("campaigns", "scoring", "sync"),
    "crm.sales": ("campaigns", "scoring", "sync"),
    "crm.scores": ("campaigns", "sync"),
    "crm.campaigns": ("sync",),
}
SOME = frozenset({"contacts-stages"})
"""Groups that take some facts of a topic, and so may refuse one of these, and leave whatever has no type to the others."""
TYPES = {
    "crm.contacts": ("crm.contact.registered.v1", "crm.contact.changed.v1"),
    "crm.interactions": ("crm.interaction.recorded.v1",),
    "crm.sales": ("crm.sale.order-placed.v1", "crm.sale.order-returned.v1", "crm.sale.order-cancelled.v1"),
    "crm.scores": ("crm.score.changed.v1",),
    "crm.campaigns": ("crm.campaign.customer-selected.v1",),
}
SELF_CONTAINED = frozenset(
    {"customer_id", "order_id", "return_id", "interaction_id", "campaign_id", "contact", "score"}
)
"""Fields that say whom a fact is about, or hold all of it."""
MOST_WRONG_IN_A_ROW = 15
"""In one partition; of four partitions together they stay below the limit of 100."""


class Publisher:
    """Draws records for one topic; its customers are nobody else's."""

    def __init__(self, topic: str, seed: int) -> None:
        self.topic = topic
        self.rng = random.Random(f"{topic}{seed}")
        self._made = 0

    def right(self) -> Raw:
        kind = self.rng.choice(TYPES[self.topic])
        return self._record(kind, dumps(self._data(kind)))

    def wrong(self) -> Raw:
        """Something every listener must refuse."""
        rng, kind = self.rng, self.rng.choice(TYPES[self.topic])
        made = self._data(kind)
        match rng.choice(("leaf", "leaf", "root", "malformed", "type", "envelope", "noise")):
            case "leaf":
                return self._record(kind, dumps(wrong(rng, made)))
            case "root":
                return self._record(kind, dumps(rng.choice((None, [], 7, "x", {}, [made]))))
            case "malformed":
                return self._record(kind, broken(rng, made, STRICT))
            case "type":
                return self._record(rng.choice(("", "crm.unknown.v1", kind + "0", "\0")), dumps(made))
            case "envelope":
                raw = self._record(kind, dumps(made))
                gone = rng.choice((b"ce_id", b"ce_source", b"ce_specversion", b"ce_type"))
                return Raw(raw.value, raw.key, tuple(pair for pair in raw.headers if pair[0] != gone))
            case _:
                value = rng.choice((None, b"", rng.randbytes(50), b"[" * 900, b"[]", b"{}"))
                return Raw(value, rng.choice((None, b"", rng.randbytes(9))), ((b"\xff" + rng.randbytes(2), None),))

    def odd(self) -> Raw:
        """What may keep its contract and still be strange: nobody may stumble over it."""
        kind = self.rng.choice(TYPES[self.topic])
        made = self._data(kind)
        inner = next((made[name] for name in ("contact", "score") if name in made), None)
        if inner is None:
            made = mutated(self.rng, made, SELF_CONTAINED)
        else:
            name = "contact" if "contact" in made else "score"
            made[name] = mutated(self.rng, inner, SELF_CONTAINED)
        return self._record(kind, dumps(made))

    def _data(self, kind: str) -> Document:
        self._made += 1
        made: Document = copy.deepcopy(orjson.loads((EXAMPLES / kind / "1.json").read_bytes()))
        body: Any = made.get("contact") or made.get("score") or made
        body["customer_id"] = self.customer
        for name in ("order_id", "return_id", "interaction_id", "campaign_id"):
            if name in body:
                body[name] = f"{self.topic}-{self.rng.randrange(16**8):08x}-{self._made}"
        return made

    @property
    def customer(self) -> str:
        return f"0190f022-0000-7000-8000-{self._made % 50:012x}"

    def _record(self, kind: str, body: bytes) -> Raw:
        attributes = {
            "specversion": "1.0", "id": f"{self.topic}-{self._made}", "source": "/rapport/fuzz", "type": kind,
            "time": "2026-01-02T03:04:05Z", "origin": "/channels/fuzz",
        }  # fmt: skip
        return binary(attributes, body, self.customer.encode())
