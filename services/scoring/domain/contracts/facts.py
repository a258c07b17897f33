"""What is known of a customer's contracts: the facts themselves, each once. Nothing here knows a model.

Kept as a set and not as running counts, so that facts in any order, twice, late, and those of two customers found to be
one give exactly what they would have given in time order. A contract has a few facts a year; the rest follows from them.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import NamedTuple

from shared.moments import as_micros, as_utc


class Kind(IntEnum):
    """What happened. The numbers are stored, and order facts of the same moment: a contract begins before it ends."""

    STARTED = 0
    RENEWED = 1
    PAYMENT_FAILED = 2
    PAYMENT_RECOVERED = 3
    CANCELLED = 4
    WENT_TO_COMPETITOR = 5
    MOVED = 6
    DIED = 7
    LAPSED = 8
    """Ended by the company because a payment that had failed never came."""


ENDINGS = frozenset({Kind.CANCELLED, Kind.WENT_TO_COMPETITOR, Kind.MOVED, Kind.DIED, Kind.LAPSED})


class Cause(StrEnum):
    """Whether the customer chose to end the contract."""

    VOLUNTARY = "voluntary"
    INVOLUNTARY = "involuntary"


INVOLUNTARY_REASONS = frozenset({"moved", "deceased", "died", "non-payment", "payment-failed"})
"""Cancellations that nobody would have wished for. Compared in lower case."""


class ContractFact(NamedTuple):
    """Sorted by contract, then time, then kind. `at`: when it became true, with a time zone."""

    contract: str
    at: datetime
    kind: Kind
    id: str
    reason: str = ""
    price: int = -1
    """What the customer pays a month from now on, in millionths; below 0: not told."""

    @property
    def cause(self) -> Cause | None:
        """None of a fact that ends nothing."""
        if self.kind not in ENDINGS:
            return None
        if self.kind is Kind.WENT_TO_COMPETITOR:
            return Cause.VOLUNTARY
        if self.kind is Kind.CANCELLED and self.reason.strip().lower() not in INVOLUNTARY_REASONS:
            return Cause.VOLUNTARY
        return Cause.INVOLUNTARY


@dataclass(frozen=True, slots=True)
class Contracts:
    """Facts, sorted, each id once; of two that claim the same id always the same one is believed, the first as sorted."""

    facts: tuple[ContractFact, ...] = ()

    @classmethod
    def of(cls, facts: Iterable[ContractFact]) -> "Contracts":
        by_id: dict[str, ContractFact] = {}
        for fact in facts:
            known = by_id.get(fact.id)
            by_id[fact.id] = min(known, fact) if known else fact
        return cls(tuple(sorted(by_id.values())))

    def plus(self, other: "Contracts") -> "Contracts":
        """Both together: new facts of the same customer, or a second customer who turns out to be the same."""
        if not other.facts:
            return self
        return Contracts.of(self.facts + other.facts) if self.facts else other

    def until(self, at: datetime) -> "Contracts":
        """What had happened by then."""
        return Contracts(tuple(fact for fact in self.facts if fact.at <= at))

    def pack(self) -> bytes:
        """JSON: a list a fact, the moment in microseconds since 1970."""
        rows = [(f.contract, as_micros(f.at), int(f.kind), f.id, f.reason, f.price) for f in self.facts]
        return json.dumps(rows, separators=(",", ":"), ensure_ascii=False).encode()

    @classmethod
    def unpack(cls, packed: bytes) -> "Contracts":
        rows = json.loads(packed)
        return cls(tuple(ContractFact(c, as_utc(at), Kind(kind), *rest) for c, at, kind, *rest in rows))
