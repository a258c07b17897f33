"""Periodic work: refit the models and rescore as time passes, take over versions that other instances have fitted, and
look through what customers like.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog

from services.scoring.handlers import Profits, Refitting, Reviewing
from services.scoring.handlers.models import UnderWay


class Nightly(Protocol):
    """What is done once a day, by one instance."""

    async def stale(self) -> bool: ...

    async def look(self) -> object:
        """Raises UnderWay."""
        ...


log = structlog.get_logger()
TAKE_LATEST_SECONDS = 5.0
FIRST_STUDY_SECONDS = 60.0
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


def looks(
    studies: Sequence[Callable[[], Awaitable[object]]], profits: Profits, reviewing: Reviewing, study_seconds: float
) -> list[Job]:
    """Through the whole base: by each instance for its own offers and risks, and by one of them once a day through the
    books, and once a week back at the scores.
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
            if await profits.stale():
                await profits.look()
            if await reviewing.due():
                await reviewing.review()

    return [study_regularly, look_now_and_then]


def nightly(looking: Sequence[Nightly], seconds: float) -> Job:
    """Ask every so often what is a day old. In a job of its own: fitting takes minutes, for which nothing else should wait."""

    async def look_when_stale() -> None:
        while True:
            await asyncio.sleep(seconds)
            for one in looking:
                try:
                    if await one.stale():
                        await one.look()
                except UnderWay:
                    log.info("look_under_way_elsewhere")

    return look_when_stale
