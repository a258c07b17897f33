"""Which faults there are, and drawing one of them: the same seed draws the same on the same stage."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial

from tests.torture.faults.deaths import (
    EngineKilled,
    InstanceJoins,
    InstanceLeaves,
    RedisEmptied,
    ServiceFrozen,
    ServicesKilled,
)
from tests.torture.faults.fault import Fault
from tests.torture.faults.machine import ClockJumps, DiskFull
from tests.torture.faults.network import (
    CHANNEL_DOWN,
    CHANNEL_SILENT,
    TROUBLES,
    LinkTroubled,
    Trouble,
    between_services,
    to_channels,
)
from tests.torture.faults.partitions import PartitionsAdded
from tests.torture.faults.stage import Stage

Maker = Callable[[random.Random, Stage], Fault | None]
"""None where this stage has nothing that could be struck so."""
JUMPS = (-3600.0, -60.0, -2.0, 2.0, 60.0, 3600.0)
"""Seconds."""


def draw(rng: random.Random, stage: Stage, kinds: Sequence[str] | None = None) -> Fault:
    """One fault of the kinds, all of which are equally likely; all kinds there are if none are named."""
    chosen = list(kinds or KINDS)
    if unknown := sorted(set(chosen) - set(KINDS)):
        raise ValueError(f"no such faults: {', '.join(unknown)}; there are {', '.join(KINDS)}")
    while chosen:
        kind = rng.choice(chosen)
        if fault := KINDS[kind](rng, stage):
            return fault
        chosen.remove(kind)
    raise ValueError("this stage has nothing that could be struck so")


def _regulars(stage: Stage) -> list[str]:
    return [one.name for one in stage.plan.regulars()]


def _one_killed(rng: random.Random, stage: Stage) -> Fault:
    return ServicesKilled(stage, [rng.choice(_regulars(stage))])


def _several_killed(rng: random.Random, stage: Stage) -> Fault:
    names = [*_regulars(stage), "gateway"]
    return ServicesKilled(stage, sorted(rng.sample(names, rng.randint(2, len(names)))))


def _frozen(rng: random.Random, stage: Stage) -> Fault:
    """Half of them longer than the session's ten seconds."""
    seconds = rng.uniform(1, 10) if rng.random() < 0.5 else rng.uniform(10, 40)
    return ServiceFrozen(stage, rng.choice(_regulars(stage)), seconds)


def _joins(rng: random.Random, stage: Stage) -> Fault:
    guests = [one.name for one in stage.plan.places()][len(_regulars(stage)) :]
    return InstanceJoins(stage, rng.choice(guests), rng.uniform(10, 40))


def _leaves(rng: random.Random, stage: Stage) -> Fault:
    return InstanceLeaves(stage, rng.choice(_regulars(stage)), rng.uniform(2, 30))


def _engine_killed(engine: str, rng: random.Random, stage: Stage) -> Fault:
    return EngineKilled(stage, engine, rng.uniform(0.5, 20))


def _redis(rng: random.Random, stage: Stage) -> Fault:
    return RedisEmptied(stage, rng.uniform(0.5, 20))


def _link(kind: str, rng: random.Random, stage: Stage) -> Fault:
    trouble = rng.choice(TROUBLES[kind])
    return LinkTroubled(stage, rng.choice(between_services(stage)), trouble, rng.uniform(1, 40))


def _channel(trouble: Trouble, rng: random.Random, stage: Stage) -> Fault | None:
    seconds, links = rng.uniform(60, 150), to_channels(stage)
    return LinkTroubled(stage, rng.choice(links), trouble, seconds) if links else None


def _clock(rng: random.Random, stage: Stage) -> Fault | None:
    """Of one process, of a server, or of the whole machine."""
    if not stage.clocks:
        return None
    everybody = stage.clocks.names()
    names = rng.choice([[rng.choice(_regulars(stage))], [rng.choice(["kafka", "mongo"])], everybody])
    return ClockJumps(stage, names, rng.choice(JUMPS), rng.uniform(5, 30))


def _partitions(rng: random.Random, stage: Stage) -> Fault:
    return PartitionsAdded(stage, rng.randint(1, 3))


def _disk(rng: random.Random, stage: Stage) -> Fault | None:
    return DiskFull(stage, rng.uniform(5, 20)) if stage.disk else None


KINDS: dict[str, Maker] = {
    "service killed": _one_killed,
    "services killed": _several_killed,
    "service frozen": _frozen,
    "instance joins": _joins,
    "instance leaves": _leaves,
    "kafka killed": partial(_engine_killed, "kafka"),
    "mongo killed": partial(_engine_killed, "mongo"),
    "redis emptied": _redis,
    **{kind: partial(_link, kind) for kind in TROUBLES},
    "channel down": partial(_channel, CHANNEL_DOWN),
    "channel silent": partial(_channel, CHANNEL_SILENT),
    "clock jumps": _clock,
    "disk full": _disk,
    "partitions added": _partitions,
}
