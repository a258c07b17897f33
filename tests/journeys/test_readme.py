"""Every command and every piece of code in the README, run in its order as a newcomer would."""

import json
import os
import random
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from deploy.local.layout import OFFSETS, ROOT
from tests.waiting import eventually

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]
BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)
NOT_AGAIN = {"make demo", "make test"}
"""The demo is run on a slice by tests/demo/test_journey.py, and the tests are being run: here, that the verbs exist."""


class Newcomer:
    """Someone at a terminal in the checkout, on a machine where the default ports are taken."""

    def __init__(self, base: int, state: Path) -> None:
        self.base = base
        self.state = state
        own = {
            name: value
            for name, value in os.environ.items()
            if name not in ("KAFKA_BOOTSTRAP", "MONGO_URL", "REDIS_URL")
        }
        self.environment = own | {"RAPPORT_PORT_BASE": str(base), "RAPPORT_STATE": str(state)}

    def here(self, text: str) -> str:
        moved = re.sub(r"127\.0\.0\.1:88(\d\d)", lambda port: f"127.0.0.1:{self.base + int(port[1])}", text)
        return moved.replace("var/run", f"{self.state}/run")

    def types(self, language: str, block: str) -> str:
        """Runs a block and returns what it prints; what it exports stays for the next ones."""
        if language == "python":
            return self._runs([sys.executable, "-c", self.here(block)])
        output = self._runs(["bash", "-euo", "pipefail", "-c", f"{self.here(block)}\nenv -0 >{self.state}.env"])
        pairs = Path(f"{self.state}.env").read_text().rstrip("\0").split("\0")
        self.environment = dict(pair.split("=", 1) for pair in pairs)
        return output

    def _runs(self, command: list[str]) -> str:
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=200, check=False
        )
        assert done.returncode == 0, f"{command[-1]}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def free_base() -> int:
    """A port base whose ports, and the README's receiver's, nobody uses."""
    for base in random.sample(range(20_000, 30_000, 100), 100):
        with suppress(OSError):
            for offset in (*OFFSETS.values(), 99):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", base + offset))
            return base
    raise AssertionError("no free ports")


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Newcomer]:
    someone = Newcomer(free_base(), tmp_path / "state")
    someone.state.mkdir()
    yield someone
    someone.types("bash", "make down")


async def test_the_readme_does_what_it_says(newcomer: Newcomer) -> None:
    blocks = BLOCK.findall((ROOT / "README.md").read_text())
    printed: dict[str, str] = {}
    for language, text in blocks:
        if text.strip() in NOT_AGAIN:
            newcomer.types("bash", f"make --dry-run {text.split()[1]}")
            continue
        if "/v1/customers?" in text and "CUSTOMER" not in text:
            # Three systems have just spoken; a reader takes longer to get here than the platform does.
            await eventually(partial(knows_ada, newcomer, text), within=30)
        printed[text] = newcomer.types(language, text)
    accepted = [text for text in printed.values() if '"accepted"' in text]
    assert len(accepted) == 2
    [stream] = [text for command, text in printed.items() if "/stream" in command]
    assert "Ada Example" in stream
    assert "35-44" not in stream, "the call centre's fields do not hold attributes"
    assert any('"secret":"whsec_' in text.replace('": "', '":"') for text in printed.values())


def knows_ada(newcomer: Newcomer, question: str) -> bool:
    [view] = json.loads(newcomer.types("bash", question))["items"]
    assert view["sales"] | {"first_order_at": "", "last_order_at": ""} == {
        "orders": 1,
        "total": "7.72",
        "currency": "USD",
        "first_order_at": "",
        "last_order_at": "",
    }
    assert view["contact"]["name"] == "Ada Example"
    assert [note["kind"] for note in view["recent_interactions"]] == ["call"]
    return True
