"""Directories and ports of a platform."""

import stat
from pathlib import Path

import pytest

from deploy.local import layout as layouts
from deploy.local.errors import CannotStart, DiskFull
from deploy.local.layout import Layout, default_layout, free, remember, remembered, shifted
from shared.settings import PlatformSettings


def test_the_defaults_are_those_that_services_assume(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("KAFKA_BOOTSTRAP", "MONGO_URL", "REDIS_URL", "RAPPORT_PORT_BASE"):
        monkeypatch.delenv(variable, raising=False)
    settings, ports = PlatformSettings(), default_layout().ports
    assert settings.kafka_bootstrap == f"127.0.0.1:{ports['kafka']}"
    assert f":{ports['mongo']}/" in settings.mongo_url
    assert f":{ports['redis']}/" in settings.redis_url


def test_a_new_base_moves_every_port() -> None:
    assert {name: port - 1000 for name, port in shifted(9800).items()} == shifted(8800)
    assert shifted(8800)["gateway"] == 8800
    assert len(set(shifted(8800).values())) == len(shifted(8800))


@pytest.mark.parametrize("base", ["eight", "80", "65500", "-1", "8800.5"])
def test_a_base_that_cannot_be_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, base: str) -> None:
    monkeypatch.setenv("RAPPORT_PORT_BASE", base)
    with pytest.raises(CannotStart, match="RAPPORT_PORT_BASE"):
        default_layout()


def test_free_ports_are_all_different() -> None:
    assert len(set(free().values())) == len(shifted(8800))


def test_where_a_platform_runs_is_remembered(tmp_path: Path) -> None:
    layout = Layout(tmp_path, free())
    layout.create()
    remember(layout)
    assert remembered(tmp_path) == layout


def test_what_runs_is_for_its_owners_eyes_only(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "new", free())
    layout.create()
    assert stat.S_IMODE(layout.run.stat().st_mode) == 0o700


def test_a_full_disk_is_told_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layouts, "NEEDED_MB", 10**12)
    with pytest.raises(DiskFull, match="MB are free at"):
        Layout(tmp_path, free()).create()
