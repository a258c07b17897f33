"""The bench once for real, in its smallest size: does every part of it still fit the platform?"""

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bench.section import ROOT

pytestmark = pytest.mark.journey
PROGRAM = """
import asyncio, sys
from pathlib import Path
from tests.bench.section import Stage
from tests.bench.{section} import run

place = Path(sys.argv[1])
asyncio.run(run(Stage(place, int(sys.argv[2]), "smoke"))).save(place)
"""


def free_base() -> int:
    """Ports of which none is taken at the moment."""
    for base in range(27_000, 29_000, 101):
        try:
            for offset in (0, 1, 2, 3, 4, 5, 17, 50, 79, 92, 93):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", base + offset))
        except OSError:
            continue
        return base
    raise AssertionError("no free ports")


def played(section: str, place: Path) -> list[dict[str, Any]]:
    """The rows of a section's smallest run."""
    command = (sys.executable, "-c", PROGRAM.format(section=section), str(place), str(free_base()))
    ran = subprocess.run(command, cwd=ROOT, timeout=240, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    rows: list[dict[str, Any]] = json.loads((place / f"{section}.json").read_text())["rows"]
    return rows


def test_the_smallest_bench_sees_every_event_stored_scored_and_delivered(tmp_path: Path) -> None:
    rows = played("latency", tmp_path)
    assert [row["event until"] for row in rows] == ["stored", "score visible", "webhook", "sse"]
    assert all(row["counted"] > 40 and row["unseen"] == 0 for row in rows)
    assert not (tmp_path / "state/run/supervisor.json").exists()


def test_the_front_door_has_in_kafka_what_it_acknowledged(tmp_path: Path) -> None:
    [row] = played("frontdoor", tmp_path)
    assert row["events a request"] == 1
    assert row["events/s"] > 0
    assert row["front doors, CPU us an event"] > 0


def test_the_bare_line_delivers_every_event_however_it_is_built(tmp_path: Path) -> None:
    rows = played("bareline", tmp_path)
    told = [row["batches, and who publishes"] for row in rows]
    assert told == ["as they come, by the change stream", "as the platform gathers, by itself"]
    assert rows[1]["deciding, us an event"] > rows[0]["deciding, us an event"] == 0
    for row in rows:
        assert row["unseen"] == 0
        assert row["webhook p50 ms"] > row["stored p50 ms"] > 0
        assert row["records a batch, interactions"] >= 1
