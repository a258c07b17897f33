"""The processes of one platform: the five services and the gateway, how they are started and with which settings."""

from __future__ import annotations

import http.client
import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata

from deploy.local.layout import ROOT, Layout
from deploy.local.routes import SERVICES
from deploy.local.servers import Servers
from shared.security import key_sha256

NAMES = (*SERVICES, "gateway")
PROBE_SECONDS = 5.0
KEEP_ALIVE_SECONDS = 75
"""An idle connection is kept for longer than the clients and proxies in use keep theirs (nginx: 60 s, aiohttp: 15 s).

Who closes first must be the one who sends requests: a service that closes in the moment in which a request is
under way resets it, and a request that writes cannot simply be sent again."""


@dataclass(frozen=True)
class Service:
    """One process of the platform."""

    name: str
    command: tuple[str, ...]
    port: int
    settings: Mapping[str, str] = field(default_factory=dict)
    """Beyond what all of them are told; they win."""

    def environment(self) -> dict[str, str]:
        """What only this one is told: a name that survives its restarts, so that it takes up its leases at once."""
        return {"RAPPORT_INSTANCE": f"{self.name}-1", **self.settings}


def services(layout: Layout) -> list[Service]:
    return [
        *(Service(name, uvicorn(name, layout.ports[name]), layout.ports[name]) for name in SERVICES),
        gateway(layout),
    ]


def gateway(layout: Layout) -> Service:
    return Service(
        "gateway", (sys.executable, "-m", "deploy.local.gateway", str(layout.state)), layout.ports["gateway"]
    )


def uvicorn(name: str, port: int) -> tuple[str, ...]:
    return (
        *(sys.executable, "-m", "uvicorn", f"services.{name}.main:create", "--factory"),
        *("--loop", "uvloop", "--http", "httptools", "--host", "127.0.0.1", "--port", str(port)),
        *("--no-access-log", "--timeout-graceful-shutdown", "20"),
        *("--timeout-keep-alive", str(KEEP_ALIVE_SECONDS)),
    )


def environment(layout: Layout, servers: Servers, settings: Mapping[str, str]) -> dict[str, str]:
    """What all of them are told, beyond what this process was told itself; `settings` win over everything."""
    key = admin_key(layout)
    ours = {
        **servers.environment(),
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
        "PYTHONUNBUFFERED": "1",
        "RAPPORT_ADMIN_KEY_SHA256": key_sha256(key),
        "RAPPORT_INTERNAL_KEY": key,
        **{f"RAPPORT_{name.upper()}_URL": f"http://127.0.0.1:{layout.ports[name]}" for name in SERVICES},
        # Channels on this machine are what a local platform is for; elsewhere private addresses are refused.
        "RAPPORT_SYNC_ALLOW_PRIVATE_WEBHOOKS": "true",
    }
    return {**ours, **settings}


def admin_key(layout: Layout) -> str:
    """The key that may do everything, made when first asked for and readable by its owner only."""
    if layout.admin_key.exists():
        return layout.admin_key.read_text().strip()
    key = f"rk_admin_{secrets.token_urlsafe(32)}"
    with os.fdopen(os.open(layout.admin_key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(key + "\n")
    return key


def version() -> str:
    try:
        return metadata.version("rapport")
    except metadata.PackageNotFoundError:
        return ""


def ready(port: int) -> bool:
    return probe(port, "/readyz")[0] == http.client.OK


def probe(port: int, path: str, seconds: float = PROBE_SECONDS) -> tuple[int, str]:
    """Status and body of a page of a process; status 0 where nothing answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()
