"""What every service's `main` composes around its own parts: clients, core, keys, application, orderly start and stop.

def create() -> FastAPI:
    settings = Settings()
    plumbing = Plumbing("contacts", settings)
    store = Store(plumbing.database)
    handlers = Handlers(store, plumbing.messaging)
    listen(plumbing.messaging, handlers)
    return plumbing.app(title="Contacts", description="...", routers=[router(handlers)], prepare=[store.prepare])
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI, Request

from shared import idempotency, logging, mongo
from shared.contracts.sync import ACCESS
from shared.http import Problem, create_app
from shared.messaging import Messaging, TooLarge, duplicates
from shared.messaging.backoff import Backoff
from shared.messaging.table import Table
from shared.security import KeyTable
from shared.settings import PlatformSettings

log = structlog.get_logger()
VERSION = "0.1.0"
LAST_WORDS_SECONDS = 5.0
"""So long a job that is cancelled may take to set its things in order before it is told again."""
Coroutine = Callable[[], Awaitable[None]]


class Plumbing:
    """One service's clients and core. Nothing connects before the application starts."""

    def __init__(self, service: str, settings: PlatformSettings) -> None:
        logging.configure(service, settings.instance, settings.log_level)
        self.service = service
        self.settings = settings
        self.client = mongo.connect(settings)
        self.database = self.client[f"{settings.namespace}rapport_{service}"]
        self.messaging = Messaging(service, settings, self.client, self.database)
        self.keys = KeyTable(settings.admin_key_sha256)
        self._access = Table(ACCESS, self.keys.apply, settings)

    def app(
        self,
        *,
        title: str,
        description: str,
        routers: Iterable[APIRouter],
        prepare: Iterable[Coroutine] = (),
        jobs: Iterable[Coroutine] = (),
        close: Iterable[Coroutine] = (),
        larger_bodies: Mapping[str, int] | None = None,
    ) -> FastAPI:
        """The application. `prepare` runs before anything is consumed (indexes), `jobs` run until the service stops
        and are started again if they fail, `close` runs last.
        """
        prepare, jobs, close = list(prepare), list(jobs), list(close)

        @asynccontextmanager
        async def lifespan(_: FastAPI) -> AsyncIterator[None]:
            tasks: list[asyncio.Task[None]] = []
            try:
                for ready in (self._prepare, *prepare):
                    await ready()
                tasks.append(asyncio.create_task(self._access.run(), name="access"))
                await self.messaging.start()
                tasks += [asyncio.create_task(_forever(job), name=getattr(job, "__name__", "job")) for job in jobs]
                settle_garbage()
                log.info("service_started", version=VERSION)
                yield
            finally:
                await self._stop(tasks)
                for last in close:
                    await last()
                await mongo.close(self.client)
                log.info("service_stopped")

        return create_app(
            title=title,
            description=description,
            version=VERSION,
            lifespan=lifespan,
            routers=routers,
            keys=self.keys,
            health=self,
            larger_bodies=larger_bodies,
            problems={TooLarge: _too_large},
        )

    async def _prepare(self) -> None:
        await idempotency.prepare(self.database)
        await duplicates.prepare(self.database)

    async def _stop(self, tasks: list[asyncio.Task[None]]) -> None:
        await _end(tasks)
        await self.messaging.stop()

    async def live(self) -> tuple[bool, dict[str, Any]]:
        return await self.messaging.live()

    async def ready(self) -> tuple[bool, dict[str, Any]]:
        """Also needs the API keys: before they are read, every caller would be a stranger."""
        ok, report = await self.messaging.ready()
        report["keys"] = self._access.complete.is_set()
        return ok and report["keys"], report


def _too_large(_: Request, __: TooLarge) -> Problem:
    return Problem(413, detail="With this the record would be larger than can be told. Take something out of it first.")


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel them until they have ended: whoever loses one cancellation (a library's slip is enough) hears the next."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=LAST_WORDS_SECONDS)
        if left:
            log.warning("jobs_do_not_end", jobs=sorted(task.get_name() for task in left))
    await asyncio.gather(*tasks, return_exceptions=True)


async def _forever(job: Coroutine) -> None:
    backoff = Backoff(first=0.5, most=30.0)
    while True:
        try:
            await job()
        except Exception as error:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise  # its last words failed; begun again it would never end
            wait = backoff.next()
            name = getattr(job, "__qualname__", "job")
            log.error(
                "job_failed",
                job=name,
                error=type(error).__name__,
                at=logging.whereabouts(error),
                retry_in=round(wait, 2),
            )
            await asyncio.sleep(wait)
        else:
            return


def settle_garbage() -> None:
    """What is loaded by now stays: the collector need not look at it again, and need not look as often.

    Parsing thousands of short-lived objects a second makes it run all the time; measured, that costs more than parsing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
