"""MongoDB's memory on this machine: what an operator asks for, and nothing that is no size."""

from pathlib import Path

import pytest

from deploy.local.errors import CannotStart
from deploy.local.layout import Layout, default_layout
from deploy.local.servers import mongo


def asked(layout: Layout) -> str:
    command = mongo.choose(layout).command
    return command[command.index("--wiredTigerCacheSizeGB") + 1]


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.setenv("RAPPORT_STATE", str(tmp_path))
    monkeypatch.delenv("RAPPORT_MONGO_CACHE_GB", raising=False)
    return default_layout()


def test_it_is_two_gigabytes_unless_said_otherwise(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(layout) == "2"
    monkeypatch.setenv("RAPPORT_MONGO_CACHE_GB", "0.5")
    assert asked(layout) == "0.5"


@pytest.mark.parametrize("given", ["much", "0", "-1", "nan", "inf", "1e9"])
def test_what_is_no_size_is_refused(layout: Layout, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("RAPPORT_MONGO_CACHE_GB", given)
    with pytest.raises(CannotStart, match="gigabytes"):
        mongo.choose(layout)
