"""Where one platform keeps its files and which ports it listens on. Nothing is started here."""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import CannotStart, DiskFull
from deploy.local.routes import SERVICES

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_BASE = 8800
PORTS_FILE = "ports.json"
NEEDED_MB = 1024
OFFSETS = {"gateway": 0, "mongo": 17, "redis": 79, "kafka": 92, "controller": 93} | {
    name: 1 + index for index, name in enumerate(SERVICES)
}
"""How far each listener's port is from the base."""

Ports = dict[str, int]


@dataclass(frozen=True)
class Layout:
    """One platform's directory and ports; several of them can live side by side."""

    state: Path
    ports: Ports

    @property
    def servers(self) -> Path:
        return self.state / "servers"

    @property
    def logs(self) -> Path:
        return self.state / "log"

    @property
    def run(self) -> Path:
        return self.state / "run"

    @property
    def admin_key(self) -> Path:
        return self.run / "admin.key"

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.ports['gateway']}"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def create(self) -> None:
        for place in (self.servers, self.logs, self.run):
            place.mkdir(parents=True, exist_ok=True)
        self.run.chmod(0o700)
        free_mb = shutil.disk_usage(self.state).free // 1_048_576
        if free_mb < NEEDED_MB:
            raise DiskFull(self.state, free_mb, NEEDED_MB)


def shifted(base: int) -> Ports:
    return {name: base + offset for name, offset in OFFSETS.items()}


SERVERS_PORTS = (10_000, 32_000)


def free() -> Ports:
    """Ports that nobody uses now, and that no connection is given by chance while their server is down for a moment:
    they lie below those that the system gives to clients.
    """
    with ExitStack() as held:
        ports: Ports = {}
        while len(ports) < len(OFFSETS):
            port = random.randrange(*SERVERS_PORTS)  # noqa: S311 - nothing secret
            listener = held.enter_context(socket.socket())
            with suppress(OSError):
                listener.bind(("127.0.0.1", port))
                ports[next(name for name in OFFSETS if name not in ports)] = port
        return ports


def default_layout() -> Layout:
    """The platform of `rapport up`: `var/` and ports from 8800, both of which the environment can move."""
    state = Path(os.environ.get("RAPPORT_STATE") or ROOT / "var").resolve()
    return Layout(state, shifted(_port_base()))


def remembered(state: Path) -> Layout:
    """The layout that the platform in this directory was last started with, else the default ports."""
    ports = default_layout().ports
    with suppress(FileNotFoundError):
        ports |= json.loads((state / "run" / PORTS_FILE).read_text())
    return Layout(state, ports)


def remember(layout: Layout) -> None:
    (layout.run / PORTS_FILE).write_text(json.dumps(layout.ports))


def _port_base() -> int:
    given = os.environ.get("RAPPORT_PORT_BASE") or str(DEFAULT_BASE)
    highest = 65_535 - max(OFFSETS.values())
    if not given.isdigit() or not 1024 <= int(given) <= highest:
        raise CannotStart(f"RAPPORT_PORT_BASE must be a number from 1024 to {highest}, not {given!r}")
    return int(given)
