"""Periodic work: refit the models and rescore as time passes, take over versions that other instances have fitted, and
look through what customers like.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from services.scoring.handlers import Refitting
from shared.leases import UnderWay
from shared.logging import whereabouts

log = structlog.get_logger()
TAKE_LATEST_SECONDS = 5.0
FIRST_STUDY_SECONDS = 60.0
"""So soon an instance has looked through the base for itself: before that, it has no offers and no risks."""
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


def looking(
    look_if_due: Callable[[str], Awaitable[None]], names: Sequence[str], every: float, first: float = 0.0
) -> Job:
    """Ask every so often whether these looks are due, one after the other; at first after `first` seconds, if that is set."""

    async def look_regularly() -> None:
        await asyncio.sleep(first or every)
        while True:
            for name in names:
                try:
                    await look_if_due(name)
                except UnderWay as error:
                    log.info("look_under_way_elsewhere", look=name, waits_for=error.what)
                except Exception as error:  # noqa: BLE001 - the looks behind it are due all the same
                    log.error("look_not_made", look=name, error=type(error).__name__, at=whereabouts(error))
            await asyncio.sleep(every)

    return look_regularly


def settling(learn: Callable[[], Awaitable[object]], every: float) -> Job:
    """What came of decisions, by each instance for its own evidence; a decision is settled once, whoever does it."""

    async def settle_regularly() -> None:
        await asyncio.sleep(min(FIRST_STUDY_SECONDS, every))
        while True:
            await learn()
            await asyncio.sleep(every)

    return settle_regularly
