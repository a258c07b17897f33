"""Waiting for an effect with a deadline, which is what tests do instead of sleeping."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast, overload

Seen = TypeVar("Seen")
INTERVAL_SECONDS = 0.02


@overload
async def eventually(look: Callable[[], Awaitable[Seen]], within: float = 20.0) -> Seen: ...
@overload
async def eventually(look: Callable[[], Seen], within: float = 20.0) -> Seen: ...
async def eventually(look: Callable[[], Awaitable[Seen] | Seen], within: float = 20.0) -> Seen:
    """Look until what is seen is true, and return it. `look` may be a function or a coroutine function.

    An AssertionError inside `look` means "not yet"; any other error ends the wait.
    """
    deadline = time.monotonic() + within
    while True:
        try:
            seen = look()
            if inspect.isawaitable(seen):
                seen = await seen
            if seen:
                return cast("Seen", seen)
            missed = AssertionError(f"last seen was {seen!r}")
        except AssertionError as error:
            missed = error
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within:g} s: {missed}") from missed
        await asyncio.sleep(INTERVAL_SECONDS)


def until(look: Callable[[], bool], what: str, within: float = 60.0) -> None:
    """The same for code that runs before there is an event loop."""
    deadline = time.monotonic() + within
    while not look():
        assert time.monotonic() < deadline, f"{what} was not there within {within:g} s"
        time.sleep(INTERVAL_SECONDS)
