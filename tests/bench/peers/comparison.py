"""One comparison from the install to the section: servers, topics, rounds, and everything cleared away."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from secrets import token_hex
from typing import Any

from deploy.local import servers
from deploy.local.layout import Layout, shifted
from tests.bench.peers import environment, records
from tests.bench.peers.field import Variant
from tests.bench.peers.table import NOTES, row, void
from tests.bench.peers.turns import Ground, Outcome, events_of, namespace, play
from tests.bench.peers.work import value
from tests.bench.section import Section, Stage

NAME = "peers"
TIMEOUT = 240.0


async def compare(stage: Stage, variants: Sequence[Variant], events: int, rounds: int) -> Section:
    python, unable = _python(stage)
    layout = Layout(stage.place / "state", shifted(stage.port_base))
    token = f"bench-{token_hex(4)}"
    try:
        started = servers.up(layout, stage.say)
        ground = Ground(python, started.kafka.url, started.mongo.url, token, stage.place, TIMEOUT)
        for size in sorted({events_of(variant, events) for variant in variants}):
            stage.say(f"filling topics with {size:,} events")
            await records.fill(ground.bootstrap, namespace(token, size), size)
        outcomes = play(ground, variants, events, rounds, stage.say)
        await records.clear(ground.bootstrap, ground.mongo_url, token)
    finally:
        servers.down(layout)
        shutil.rmtree(layout.state, ignore_errors=True)
    conditions = [f"{events:,} events of {len(value(events // 2, events))} bytes, {rounds} rounds, medians", *unable]
    conditions += [line for line in started.lines() if not line.startswith("redis")]
    conditions += sorted({_everybody(run) for outcome in outcomes.values() for run in outcome.runs})
    return _section(variants, outcomes, conditions)


def _everybody(run: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {number}" for name, number in run["everybody"].items()) + " for everybody"


def _python(stage: Stage) -> tuple[Path, list[str]]:
    """Where the peers cannot be installed, each of them says so in its own row, and the others still run."""
    try:
        return environment.python(stage.say), []
    except environment.NotInstalled as reason:
        return Path(sys.executable), [f"the peers could not be installed: {reason}"]


def _section(variants: Sequence[Variant], outcomes: Mapping[str, Outcome], conditions: Sequence[str]) -> Section:
    return Section(
        NAME,
        "The core against its peers, same work",
        [row(variant, outcomes) for variant in variants],
        [*conditions, *NOTES],
        void(outcomes),
        {name: outcome.runs for name, outcome in outcomes.items()},
    )
