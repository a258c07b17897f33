"""A slice of `make fuzz` on the whole platform: every input has its fate, nobody dies, nothing is lost."""

import asyncio
import secrets
from pathlib import Path

import pytest

from deploy.local import platform
from deploy.local.layout import Layout, free
from deploy.local.routes import SERVICES
from deploy.local.servers import VARIABLES, Servers
from tests.conftest import PARTITIONS
from tests.fuzz.openapi import NO_KEY, WRONG_KEY, guarded
from tests.fuzz.run import SLICE, fuzz
from tests.fuzz.running import running

pytestmark = pytest.mark.journey


def test_of_two_thousand_inputs_each_has_its_fate_and_no_consumer_stumbles(
    tmp_path: Path, servers: Servers, namespace: str, topics: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, variable in VARIABLES.items():
        monkeypatch.setenv(variable, servers.named(name).url)
    seed = secrets.randbelow(10**6)
    layout = Layout(tmp_path, free())
    with running(layout, namespace, PARTITIONS) as stage:
        asked = [
            guarded(stage, service, name, key)
            for service in SERVICES
            for name, key in (("none", NO_KEY), ("wrong", WRONG_KEY))
        ]
        outcome = asyncio.run(fuzz(stage, SLICE, seed, lambda _: None))
    platform.down(layout, wipe=True)
    assert [fault for result in asked for fault in result.faults] == []
    assert outcome.faults == [], f"seed {seed}: {outcome.figures()}"
    assert outcome.bad() > 1_500
    assert "handler-error" not in {letter.reason for about in outcome.found.letters.values() for letter in about}
