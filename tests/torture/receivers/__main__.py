"""Runs the channels: `python -m tests.torture.receivers <settings.json>`. Ends on SIGTERM."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.torture.receivers.attention import Attention
from tests.torture.receivers.behaviour import Behaviour, Manner
from tests.torture.receivers.hooks import Hooks
from tests.torture.receivers.records import Notes
from tests.torture.receivers.stream import Follower


class Receivers:
    """The process: hooks, follower, and the few routes by which the run commands it."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.notes, self.attention = Notes(Path(settings["folder"])), Attention()
        self.behaviours = {name: Behaviour(random.Random(f"{settings['seed']} {name}")) for name in settings["secrets"]}
        self.hooks = Hooks(settings["secrets"], self.behaviours, self.notes)
        self.follower = Follower(notes=self.notes, **settings["stream"])

    async def behave(self, request: web.Request) -> web.Response:
        said, name = await request.json(), request.match_info["channel"]
        if name == self.follower.channel:
            self.follower.hung_up.set()
        else:
            self.behaviours[name].manner, self.behaviours[name].share = Manner(said["manner"]), float(said["share"])
        return web.Response(status=204)

    async def state(self, _: web.Request) -> web.Response:
        copies = {channel: sum(version for version, _ in held.values()) for channel, held in self.notes.copies.items()}
        told = {"deliveries": self.notes.deliveries, "connections": self.follower.connections, "versions": copies}
        lag = {"worst": self.attention.worst, "absent": self.attention.absent, "seconds": self.attention.seconds}
        return web.json_response(told | {"lag": lag})

    async def save(self, _: web.Request) -> web.Response:
        self.notes.save()
        return web.Response(status=204)

    def application(self) -> web.Application:
        app = web.Application(client_max_size=4 * 1_048_576)
        app.router.add_post("/hooks/{channel}", self.hooks.receive)
        app.router.add_post("/behave/{channel}", self.behave)
        app.router.add_get("/state", self.state)
        app.router.add_post("/save", self.save)
        app.on_startup.append(self._start)
        return app

    async def _start(self, app: web.Application) -> None:
        lasting = (self.attention.watch(), self.follower.run(), self.follower.acknowledge())
        app[TASKS] = [asyncio.create_task(one) for one in lasting]


TASKS = web.AppKey("tasks", list[asyncio.Task[None]])


def main() -> None:
    settings = json.loads(Path(sys.argv[1]).read_text())
    app = Receivers(settings).application()
    web.run_app(app, host="127.0.0.1", port=settings["port"], access_log=None, print=None, shutdown_timeout=1)


if __name__ == "__main__":
    main()
