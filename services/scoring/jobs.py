"""Periodic work: refit the models and rescore as time passes, and take over versions that other instances have fitted."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from services.scoring.handlers import Refitting
from services.scoring.handlers.models import UnderWay

log = structlog.get_logger()
TAKE_LATEST_SECONDS = 5.0
Job = Callable[[], Awaitable[None]]


def jobs(refitting: Refitting, refit_seconds: float) -> list[Job]:
    async def refit_regularly() -> None:
        while True:
            await asyncio.sleep(refit_seconds)
            try:
                await refitting.refit()
            except UnderWay:
                log.info("refit_under_way_elsewhere")

    async def take_latest_regularly() -> None:
        while True:
            await asyncio.sleep(TAKE_LATEST_SECONDS)
            await refitting.take_latest()

    return [refit_regularly, take_latest_regularly]
