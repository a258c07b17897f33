"""The two channels: registered with the platform, started as processes of their own, read from their files."""

import asyncio
import socket
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from demo.copies import Kept, read
from demo.platform import Platform
from demo.unfinished import Unfinished
from deploy.local import processes
from deploy.local.layout import ROOT

STOP_WITHIN = 10.0


@dataclass(frozen=True, slots=True)
class Channel:
    """A consumer of customers: what it is for, and which fields it gets for that."""

    name: str
    kind: str
    purpose: str
    fields: tuple[str, ...]

    def registration(self, url: str | None) -> dict[str, Any]:
        return {
            "channel_id": self.name,
            "kind": self.kind,
            "purpose": self.purpose,
            "basis": "contract",
            "fields": list(self.fields),
            "source": f"/channels/{self.name}",
        } | ({"url": url} if url else {})


CALL_CENTRE = Channel(
    "call-centre",
    "sse",
    "service",
    ("contact", "sales", "interactions", "recent_interactions", "campaigns", "score"),
)
E_SHOP = Channel(
    "e-shop",
    "webhook",
    "shopping",
    ("contact.identifiers", "contact.party", "sales", "campaigns", "score.segment"),
)
CHANNELS = (CALL_CENTRE, E_SHOP)
NAMES = tuple(channel.name for channel in CHANNELS)


class ChannelDied(Unfinished):
    """A channel's process has ended by itself."""


class Channels:
    """The channels' processes and files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._run = folder / "run"

    async def start(self, platform: Platform) -> None:
        """Register both, and start them on an empty memory, without those that a killed run has left behind."""
        self._run.mkdir(parents=True, exist_ok=True)
        await self.stop()
        for channel in CHANNELS:
            for left in self._folder.glob(f"{channel.name}.*"):
                left.unlink()
        await self._start_e_shop(platform)
        await self._start_call_centre(platform)

    async def _start_e_shop(self, platform: Platform) -> None:
        port = free_port()
        told = await platform.post("/v1/channels", E_SHOP.registration(f"http://127.0.0.1:{port}/hooks/customers"))
        arguments = ("--port", str(port))
        await self._spawn(E_SHOP, "demo.e_shop", arguments, {"E_SHOP_SECRET": told["secret"]})

    async def _start_call_centre(self, platform: Platform) -> None:
        await platform.post("/v1/channels", CALL_CENTRE.registration(None))
        key = await issue_key(platform, CALL_CENTRE.name, "stream:read")
        arguments = ("--url", f"{platform.base_url}/v1/channels/{CALL_CENTRE.name}/stream")
        await self._spawn(CALL_CENTRE, "demo.call_centre", arguments, {"CALL_CENTRE_KEY": key})

    async def _spawn(self, channel: Channel, module: str, arguments: tuple[str, ...], secrets: dict[str, str]) -> None:
        command = (sys.executable, "-m", module, *arguments, "--file", str(self.file(channel)))
        environment = secrets | {"PYTHONPATH": str(ROOT)}
        await asyncio.to_thread(
            partial(
                processes.start,
                channel.name,
                command,
                run=self._run,
                log=self.log(channel),
                environment=environment,
            )
        )

    def file(self, channel: Channel) -> Path:
        return self._folder / f"{channel.name}.sqlite"

    def log(self, channel: Channel) -> Path:
        return self._folder / f"{channel.name}.log"

    def kept(self, channel: Channel) -> Kept:
        """What the channel knows by now. Raises ChannelDied."""
        if processes.living(self._run, channel.name) is None:
            raise ChannelDied(f"{channel.name} has ended; its last words:\n{self.log(channel).read_text()[-2000:]}")
        return read(self.file(channel)) if self.file(channel).exists() else Kept({}, [], {})

    async def stop(self) -> None:
        await asyncio.to_thread(processes.stop, self._run, NAMES, STOP_WITHIN)


async def issue_key(platform: Platform, channel: str, *scopes: str) -> str:
    told = await platform.post(
        "/v1/keys", {"name": channel, "kind": "channel", "scopes": list(scopes), "channel_id": channel}
    )
    return str(told["key"])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
