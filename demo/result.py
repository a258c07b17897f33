"""What a run has shown, as data: for the reader at the terminal and for `summary.json`."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from demo.emitters.plan import Tally
from demo.finance import Findings
from demo.latency import Latency
from demo.ledger.compare import Holdings
from demo.ledger.difference import Difference
from demo.ledger.people import Document
from demo.steward import Stewardship

SHOWN = 20


@dataclass(slots=True)
class ChannelResult:
    """One channel at the end."""

    customers: int
    stale: list[Difference]
    deliveries: Mapping[str, int]
    latency: Latency | None


@dataclass(slots=True)
class Pace:
    """How fast it went: events a second from the first sent until the last had all its effects in both channels."""

    events: int
    sending_seconds: float
    seconds: float
    steady_rate: float = 0.0
    complete: bool = True

    @property
    def events_per_second(self) -> float:
        return round(self.events / self.seconds, 1) if self.seconds else 0.0


@dataclass(slots=True)
class Result:
    """Everything a run has found out."""

    broker: str
    households: int
    planned: Tally
    held: Holdings
    mismatches: list[Difference]
    channels: dict[str, ChannelResult]
    campaign: Document
    model: Document
    segments: Mapping[str, int]
    valuable: list[Document]
    leaving: list[Document]
    wishes: list[Document]
    """Of those who are leaving."""
    findings: Findings
    stewardship: Stewardship
    names: Mapping[str, int | None]
    """Household by customer id."""
    pace: Pace
    seconds: float

    @property
    def wrong(self) -> list[Difference]:
        """Every difference there is, in the ledger and in the channels."""
        stale = [difference for channel in self.channels.values() for difference in channel.stale]
        return [*self.mismatches, *stale]

    @property
    def good(self) -> bool:
        return self.pace.complete and not self.wrong

    @property
    def latency(self) -> Latency | None:
        """Of the slower channel: what can be promised for both."""
        measured = [channel.latency for channel in self.channels.values() if channel.latency]
        return max(measured, key=lambda latency: latency.p99, default=None)

    def summary(self) -> dict[str, Any]:
        held, planned, latency = self.held, self.planned, self.latency
        told = sum((view.get("contact") or {}).get("party") == "household" for view in held.customers)
        return {
            "broker": self.broker,
            "input": {
                "households": self.households,
                **planned.events,
                "sent_twice": sum(planned.twice.values()),
                "broken": sum(planned.dead_letters.values()) + sum(planned.rejected.values()),
                "sent": planned.sent,
            },
            "accepted": held.interactions + held.contract_events + int(held.sales.get("orders", 0)) + told,
            "duplicates": sum(held.duplicates.values()),
            "dead_letters": dict(held.dead_letters),
            "rejected": dict(held.rejected),
            "ledger": {
                "customers": held.viewed.get("customers"),
                "orders": held.sales.get("orders"),
                "total": held.sales.get("total"),
                "mismatches": len(self.mismatches),
                "examples": [str(difference) for difference in self.mismatches[:SHOWN]],
            },
            "channels": {name: self._channel(channel) for name, channel in self.channels.items()},
            "stewardship": self._stewardship(),
            "campaign": dict(self.campaign),
            "profit": dict(self.findings.profit),
            "contracts": dict(self.findings.contracts),
            "segments": dict(self.segments),
            "model": {name: self.model.get(name) for name in ("name", "version", "parameters")},
            "events_per_second": self.pace.events_per_second,
            "latency_ms": {
                "p50": latency.p50 if latency else None,
                "p99": latency.p99 if latency else None,
                "at_events_per_second": self.pace.steady_rate,
            },
            "seconds": round(self.seconds, 1),
        }

    def _stewardship(self) -> dict[str, Any]:
        done = self.stewardship
        return asdict(done.found) | {
            "precision": done.found.precision,
            "recall": done.found.recall,
            "unmerged": done.mistake,
            "erased": sorted(done.erased),
            "receipts": sorted(done.receipts),
            "awaited": list(done.erasure.get("open", ())),
        }

    @staticmethod
    def _channel(channel: ChannelResult) -> dict[str, Any]:
        return {
            "customers": channel.customers,
            "stale": len(channel.stale),
            "examples": [str(difference) for difference in channel.stale[:SHOWN]],
            "deliveries": dict(channel.deliveries),
            "latency_ms": asdict(channel.latency) if channel.latency else None,
        }

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.summary(), indent=2, default=str) + "\n")
