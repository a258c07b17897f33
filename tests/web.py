"""Serves an application on a free port, so that tests talk real HTTP to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import uvicorn
from fastapi import FastAPI

from deploy.local.services import KEEP_ALIVE_SECONDS


@asynccontextmanager
async def serving(app: FastAPI, key: str | None = None) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the running app; its requests carry `key`. The app's lifespan runs around it."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        log_config=None,
        lifespan="on",
        timeout_graceful_shutdown=5,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(_serve(server))
    try:
        async with asyncio.timeout(30):
            while not server.started:
                if running.done():
                    raise RuntimeError("the app did not start") from running.exception()
                await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        headers = {"authorization": f"Bearer {key}"} if key else {}
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as client:
            yield client
    finally:
        server.should_exit = True
        await running


async def _serve(server: uvicorn.Server) -> None:
    # Not server.serve(): it would take over the test run's signal handlers.
    await server._serve()
