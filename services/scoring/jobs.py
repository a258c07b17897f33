"""Periodic work: refit the models and rescore as time passes, take over versions that other instances have fitted, and
look through what customers like.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from services.scoring.handlers import Refitting
from services.scoring.handlers.models import UnderWay

log = structlog.get_logger()
TAKE_LATEST_SECONDS = 5.0
FIRST_STUDY_SECONDS = 60.0
Job = Callable[[], Awaitable[None]]
Round = tuple[Callable[[], Awaitable[bool]], Callable[[], Awaitable[object]]]
"""Whether it is time, and what to do then."""


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


def studying(studies: Sequence[Callable[[], Awaitable[object]]], seconds: float) -> Job:
    """Through the whole base, by each instance for its own offers and risks."""

    async def study_regularly() -> None:
        await asyncio.sleep(min(FIRST_STUDY_SECONDS, seconds))
        while True:
            for study in studies:
                await study()
            await asyncio.sleep(seconds)

    return study_regularly


def looking(rounds: Sequence[Round], seconds: float) -> Job:
    """Ask every so often what is to be looked at again, one after the other. What must not be done twice holds a lease itself;
    of the rest, two instances that look write the same.
    """

    async def look_when_due() -> None:
        while True:
            await asyncio.sleep(seconds)
            for due, look in rounds:
                try:
                    if await due():
                        await look()
                except UnderWay:
                    log.info("look_under_way_elsewhere")

    return look_when_due
