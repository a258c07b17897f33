"""Some of the comparison for real, with what the platform itself depends on: the numbers differ, the totals may not."""

from __future__ import annotations

import secrets
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local.servers import Servers
from tests.bench.peers import records
from tests.bench.peers.field import BY_NAME
from tests.bench.peers.turns import Ground, namespace, play

pytestmark = pytest.mark.integration
EVENTS = 2_000
HERE = ("core", "core-mongo", "aiokafka-exact")


async def test_the_core_and_aiokafka_come_to_the_same_totals_and_who_is_missing_is_said(
    servers: Servers, tmp_path: Path
) -> None:
    ground = Ground(Path(sys.executable), servers.kafka.url, servers.mongo.url, f"bench-{secrets.token_hex(4)}",
                    tmp_path, 60.0)  # fmt: skip
    await records.fill(ground.bootstrap, namespace(ground.token, EVENTS), EVENTS)
    variants = [replace(BY_NAME[name], share=1.0) for name in (*HERE, "bytewax")]
    outcomes = play(ground, variants, EVENTS, 1, print)
    await records.clear(ground.bootstrap, ground.mongo_url, ground.token)
    assert {name: outcomes[name].error for name in HERE} == dict.fromkeys(HERE, "")
    assert all(outcomes[name].runs[0]["cpu_per_million"] > 0 for name in HERE)
    assert "bytewax" in outcomes["bytewax"].error
