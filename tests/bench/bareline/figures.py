"""What is kept of a bare line's trials, as a table tells it, and what follows from it for the target. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.bench.bareline.hop import Manner
from tests.bench.latency import TARGETS
from tests.bench.section import Row

CORES = 2
DISTURBED = 0.1
"""A larger share of the cores than the kernel takes for itself."""
ALONG = ("interactions", "scoring", "sync")
"""The services by which an event's way leads."""


@dataclass(frozen=True)
class Played:
    """What is kept of a trial; its arrivals are written over by the next line's."""

    manner: Manner
    rate: float
    void: str
    unsustained: str
    busy: float
    latencies: dict[str, tuple[dict[str, float], int, int]]
    cpu: dict[str, float]
    """Microseconds an event, by process."""
    parts: dict[str, float]
    batches: dict[str, float]
    """Of each service, records a batch."""
    reads: float
    """Records that the services take in for an event, all together."""
    generator: dict[str, Any]

    @property
    def webhook(self) -> dict[str, float]:
        return self.latencies["webhook"][0]

    @property
    def cost(self) -> float:
        """CPU microseconds an event, all processes together."""
        return sum(self.cpu.values())

    @property
    def deciding(self) -> float:
        """CPU microseconds an event that are spent as if on decoding and deciding."""
        return self.manner.deciding_us * self.reads

    @property
    def others(self) -> float:
        """The share of the cores that nobody here has had."""
        return max(0.0, self.busy - self.cost * self.rate / 1e6 / CORES)

    @property
    def meets(self) -> bool:
        return not self.unsustained and all(self.webhook[name] < most for name, most in TARGETS.items())


def soonest(found: Iterable[Played]) -> Played:
    """By the median to the webhook, of those that meet the target, or else keep up, if any does."""
    return min(found, key=lambda one: (not one.meets, bool(one.unsustained), one.webhook["p50"]))


def named(one: Played) -> str:
    if one.manner.patient:
        batches = "as the platform gathers"
    else:
        batches = f"gathered for {one.manner.gather_ms} ms" if one.manner.gather_ms else "as they come"
    return f"{batches}, {'by itself' if one.manner.direct else 'by the change stream'}"


def row(one: Played) -> Row:
    def times(effect: str, *wanted: str) -> dict[str, float]:
        figures = one.latencies[effect][0]
        return {f"{effect} {name} ms": round(figures.get(name, 0.0), 1) for name in wanted}

    return {
        "batches, and who publishes": named(one),
        "deciding, us an event": round(one.deciding),
        "events/s": round(one.rate),
        **times("stored", "p50"),
        **times("score visible", "p50"),
        **times("webhook", "p50", "p95", "p99"),
        **times("sse", "p99"),
        "unseen": sum(missing for _, _, missing in one.latencies.values()),
        "rate sustained": "no" if one.unsustained else "yes",
        "cores busy": f"{one.busy:.0%}",
        "CPU us an event": round(one.cost),
        **{f"of it {part}": round(cost) for part, cost in one.parts.items()},
        **{f"records a batch, {name}": round(one.batches[name], 1) for name in ALONG},
    }


def verdict(first: Played, series: Sequence[Sequence[Played]]) -> list[str]:
    """What the figures say of the target. `series`: lines with more and more deciding, up to the first that misses it."""
    wanted = " and ".join(f"{most} ms ({name})" for name, most in TARGETS.items())
    told = [f"At {first.rate:,.0f}/s {wanted} are wanted. The soonest bare line comes to {reached(first)}."]
    if not first.meets:
        return [
            *told,
            "So no program of this design in Python meets the target on this machine, however little it decides.",
        ]
    borne = [one for some in series for one in some if one.meets]
    missed = [one for some in series for one in some if not one.meets]
    if borne:
        most = max(borne, key=lambda one: one.deciding)
        told.append(f"The most deciding that was borne is {most.deciding:,.0f} us an event: {reached(most)}.")
    if missed:
        least = ", ".join(f"{one.deciding:,.0f} us ({named(one)})" for one in missed)
        told.append(f"The target was missed with {least}.")
    return (
        [*told, "What is borne is what the services have for all that they do beside their hops."] if series else told
    )


def reached(one: Played) -> str:
    times = " and ".join(f"{one.webhook[name]:,.0f} ms ({name})" for name in TARGETS)
    budget = f"{one.cost:,.0f} of the {CORES * 1e6 / one.rate:,.0f} us of CPU that {CORES} cores have for an event"
    return f"{times} with {budget} ({named(one)})"


def disturbed(found: Sequence[Played]) -> list[str]:
    """On a machine that is not the line's alone, a floor cannot be told from what others have taken."""
    most = max(one.others for one in found)
    said = (
        f"Others had up to {most:.0%} of the cores meanwhile: these latencies are no floor, and nothing is concluded."
    )
    return [said] if most > DISTURBED else []
