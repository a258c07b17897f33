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


def looks(
    studies: Sequence[Callable[[], Awaitable[object]]], rounds: Sequence[Round], study_seconds: float
) -> list[Job]:
    """Through the whole base: by each instance for its own offers and risks, and by one of them once a day through the
    books and for the model to use, and once a week back at the scores of all models.
    """

    async def study_regularly() -> None:
        await asyncio.sleep(min(FIRST_STUDY_SECONDS, study_seconds))
        while True:
            for study in studies:
                await study()
            await asyncio.sleep(study_seconds)

    async def look_now_and_then() -> None:
        while True:
            await asyncio.sleep(study_seconds)
            for due, look in rounds:
                if await due():
                    await look()

    return [study_regularly, look_now_and_then]
