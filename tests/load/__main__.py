"""A load as a process of its own: `python -m tests.load --kafka HOST:PORT --rate 1000 --count 60000`.

Standard output is JSON lines: `{"began": ...}` (monotonic) before the first message is due, progress every half second,
and at last `{"done": ...}`. The key for HTTP is read from LOAD_KEY.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import resource
import signal
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import uvloop

from shared.plumbing import settle_garbage
from tests.load.messages import Message
from tests.load.mix import mix_on
from tests.load.pacing import Lateness, Pacer, Schedule
from tests.load.plan import messages
from tests.load.roads import Roads
from tests.talking import tell

PROGRESS_SECONDS = 0.5
DRAIN_SECONDS = 180.0
FIRST = -10
HEAD_START = 0.2
"""Seconds between the announcement of the schedule and its first message."""


async def play(asked: argparse.Namespace) -> None:
    mix = mix_on(asked.road, **json.loads(asked.mix))
    if asked.live:
        mix = replace(mix, begins=datetime.now(UTC), seconds_apart=1 / asked.rate)
    needs = {channel.road for channel in mix.channels}
    kafka = asked.kafka if "kafka" in needs else None
    http = (asked.http, os.environ["LOAD_KEY"]) if "http" in needs else None
    async with Roads(kafka=kafka, http=http, namespace=asked.namespace) as roads:
        settle_garbage()
        schedule, lateness = Schedule(time.monotonic() + HEAD_START, asked.rate), Lateness()
        tell(began=schedule.began, cpu_before=cpu_seconds())
        pacer: Pacer[Message] = Pacer(schedule, roads.hand, lateness)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, pacer.stopped.set)
        telling = asyncio.create_task(tell_progress(roads, lateness))
        left = await pacer.run(messages(mix, asked.count, asked.seed))
        ended = time.monotonic()
        await roads.drained(DRAIN_SECONDS)
        telling.cancel()
        tell(done=summary(roads, lateness) | {"left": left, "ended": ended, "taken_after": time.monotonic() - ended})


async def tell_progress(roads: Roads, lateness: Lateness) -> None:
    while True:
        await asyncio.sleep(PROGRESS_SECONDS)
        tell(at=time.monotonic(), left=lateness.left, accepted=roads.accepted, late=lateness.late)


def summary(roads: Roads, lateness: Lateness) -> dict[str, Any]:
    return {
        "accepted": roads.accepted,
        "rejected": dict(roads.http.rejected) if roads.http else {},
        "sent_again": sum(road.sent_again for road in (roads.kafka, roads.http) if road),
        "late": lateness.late,
        "worst_ms": round(lateness.worst * 1000, 1),
        "void": lateness.void,
        "cpu_seconds": cpu_seconds(),
    }


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def come_first() -> None:
    """A load from outside does not compete with the platform for its CPU; here it does, and must not be late for that."""
    with contextlib.suppress(PermissionError):
        os.nice(FIRST)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kafka", help="bootstrap address")
    parser.add_argument("--http", help="base URL")
    parser.add_argument("--road", choices=("kafka", "http", "both"), default="kafka")
    parser.add_argument("--namespace", default="")
    parser.add_argument("--rate", type=float, default=1000.0, help="messages a second")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mix", default="{}", help="fields of Mix that differ from their defaults, as JSON")
    parser.add_argument(
        "--live", action="store_true", help="events happen when they are sent, instead of as the mix says"
    )
    come_first()
    uvloop.run(play(parser.parse_args()))


if __name__ == "__main__":
    main()
