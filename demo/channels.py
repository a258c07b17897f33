"""The two channels: registered with the platform, started as processes of their own, read from their files."""

import asyncio
import socket
import sqlite3
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

START_WITHIN = 30.0
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
    # Whoever calls is asked for their date of birth, which is sensitive: it is seen where it is named, and nowhere else.
    ("contact", "contact.attributes.birthdate", "sales", "interactions", "recent_interactions", "campaigns", "score"),
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
        port = free_port()
        await self._start_e_shop(platform, port)
        await self._start_call_centre(platform)
        async with asyncio.timeout(START_WITHIN):
            while not (listens(port) and readable(self.file(CALL_CENTRE))):
                for channel in CHANNELS:
                    self._alive(channel)
                await asyncio.sleep(0.05)

    async def _start_e_shop(self, platform: Platform, port: int) -> None:
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
        self._alive(channel)
        return read(self.file(channel))

    def _alive(self, channel: Channel) -> None:
        if processes.living(self._run, channel.name) is None:
            raise ChannelDied(f"{channel.name} has ended; its last words:\n{self.log(channel).read_text()[-2000:]}")

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


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def readable(file: Path) -> bool:
    """Whether the channel has got so far as to keep something there."""
    try:
        read(file)
    except sqlite3.OperationalError:
        return False
    return True
