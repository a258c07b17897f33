"""The whole main job on a slice of the households, against real servers, with nothing left behind on them."""

import json
from pathlib import Path

import pytest
from pymongo import MongoClient

from demo.main import run
from deploy.local.servers import VARIABLES, Servers

pytestmark = pytest.mark.journey


def test_a_slice_of_the_year_agrees_with_the_ledger(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, variable in VARIABLES.items():
        monkeypatch.setenv(variable, servers.named(name).url)
    assert run(0.05, folder=tmp_path) == 0
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["ledger"] | {"examples": []} == {
        "customers": 142,
        "orders": 2773,
        "total": summary["ledger"]["total"],
        "mismatches": 0,
        "examples": [],
    }
    assert summary["duplicates"] == 36
    assert (summary["profit"]["unknown"], sum(summary["profit"]["classes"].values())) == ([], 141)
    assert summary["contracts"]["customers"] == summary["contracts"]["contracts"] > 0
    done = summary["stewardship"]
    assert (done["there"], done["right"], done["accepted"], done["unmerged"]) == (13, 13, 13, [734, 1466])
    assert (done["erased"], done["awaited"]) == ([965, 900965], ["log"])
    assert sum(summary["dead_letters"].values()) == 13
    assert sum(summary["rejected"].values()) == 12
    assert {name: channel["stale"] for name, channel in summary["channels"].items()} == {"call-centre": 0, "e-shop": 0}
    with MongoClient[dict[str, object]](servers.mongo.url) as client:
        assert not [name for name in client.list_database_names() if name.startswith("demo-")]
