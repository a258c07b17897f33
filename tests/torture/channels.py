"""The run's three channels: registered with the platform, received by a process of their own."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from deploy.local.layout import ROOT
from tests.torture.evidence import Public
from tests.torture.faults import Stage
from tests.torture.judge.views import Terms
from tests.torture.sendings import PURPOSE

STEADY, MOODY, STREAM = "steady", "moody", "stream"
FIGURES = ("sales", "interactions")
TERMS = (
    Terms(
        STEADY,
        ("contact.name", "contact.identifiers", *FIGURES, "score.purchases", "score.money"),
        consent_needed=False,
    ),
    Terms(MOODY, ("contact.name", *FIGURES), consent_needed=True),
    Terms(STREAM, (*FIGURES, "score.purchases"), consent_needed=False),
)
WITHIN = 30.0


class ReceiversDied(Exception):
    """The channels' process has ended by itself: nothing can be judged."""


class Channels:
    """Talks to the receivers' process."""

    def __init__(self, url: str, folder: Path, process: asyncio.subprocess.Process) -> None:
        self._url, self.folder, self._process = url, folder, process
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=WITHIN))

    async def behave(self, channel: str, manner: str, share: float) -> None:
        await self._ask("POST", f"/behave/{channel}", {"manner": manner, "share": share})

    async def state(self) -> dict[str, Any]:
        return json.loads(await self._ask("GET", "/state"))  # type: ignore[no-any-return]

    async def save(self) -> None:
        """Have everything in the files."""
        await self._ask("POST", "/save")

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> bytes:
        if self._process.returncode is not None:
            raise ReceiversDied(f"see {self.folder}/receivers.log")
        async with self._session.request(method, self._url + path, json=body) as response:
            response.raise_for_status()
            return await response.read()

    async def close(self) -> None:
        await self._session.close()
        if self._process.returncode is None:
            self._process.terminate()
        await self._process.wait()


@asynccontextmanager
async def channels(stage: Stage, public: Public, folder: Path, port: int, seed: int) -> AsyncIterator[Channels]:
    """Registered, listening, and closed at the end. The folder is there."""
    secrets = {}
    for terms in TERMS:
        answer = await public.post("/v1/channels", await registration(stage, terms, port))
        if terms.channel != STREAM:
            secrets[terms.channel] = answer["secret"]
    stream = {"channel": STREAM, "urls": [await stream_url(stage)], "key": await stream_key(public)}
    settings = {"port": port, "folder": str(folder), "seed": seed, "secrets": secrets, "stream": stream}
    (folder / "settings.json").write_text(json.dumps(settings))
    with (folder / "receivers.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.torture.receivers", str(folder / "settings.json")),
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
    receivers = Channels(f"http://127.0.0.1:{port}", folder, process)
    try:
        await listening(receivers)
        yield receivers
    finally:
        await receivers.close()


async def registration(stage: Stage, terms: Terms, port: int) -> dict[str, Any]:
    said: dict[str, Any] = {
        "channel_id": terms.channel,
        "kind": "sse" if terms.channel == STREAM else "webhook",
        "purpose": PURPOSE,
        "basis": "consent" if terms.consent_needed else "contract",
        "fields": list(terms.fields),
    }
    if terms.channel == STREAM:
        return said
    return said | {"url": f"{await stage.channel(terms.channel, port)}/hooks/{terms.channel}"}


async def stream_url(stage: Stage) -> str:
    return f"{await stage.way_to_gateway(STREAM)}/v1/channels/{STREAM}/stream"


async def stream_key(public: Public) -> str:
    told = {"name": STREAM, "kind": "channel", "scopes": ["stream:read"], "channel_id": STREAM}
    return str((await public.post("/v1/keys", told))["key"])


async def listening(receivers: Channels) -> None:
    """Until the process answers and its stream is connected."""
    async with asyncio.timeout(WITHIN):
        while True:
            try:
                if (await receivers.state())["connections"]:
                    return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)
