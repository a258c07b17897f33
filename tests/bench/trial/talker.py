"""A process of the bench that says JSON lines: started, listened to, ended. Its silence or death is an error, not a hang."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from tests.bench.section import ROOT
from tests.bench.trial.ground import cpu_of

END_SECONDS = 15.0


class Died(Exception):
    """A process of the bench has ended before its time."""


class Talker:
    """`python -m module arguments`, and the last thing it said under each key."""

    def __init__(self, module: str, arguments: Sequence[str], secrets: Mapping[str, str]) -> None:
        self._module = module
        self._command = (sys.executable, "-m", module, *arguments)
        self._environment = {**os.environ, **secrets, "PYTHONPATH": str(ROOT)}
        self.said: dict[str, Any] = {}
        self._news = asyncio.Condition()
        self.heard: Callable[[dict[str, Any]], None] | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdout=asyncio.subprocess.PIPE, env=self._environment
        )
        self._listening = asyncio.create_task(self._listen())
        return self

    @property
    def cpu(self) -> float:
        return cpu_of(self._process.pid)

    async def _listen(self) -> None:
        assert self._process.stdout
        async for line in self._process.stdout:
            told = json.loads(line)
            async with self._news:
                self.said |= told
                if self.heard:
                    self.heard(told)
                self._news.notify_all()
        await self._process.wait()
        async with self._news:
            self._news.notify_all()

    async def until(self, look: Callable[[dict[str, Any]], bool], within: float, what: str) -> dict[str, Any]:
        """Wait until it has said so. Raises Died, or TimeoutError with `what` was waited for."""
        try:
            async with asyncio.timeout(within), self._news:
                while not look(self.said):
                    if self._process.returncode is not None:
                        raise Died(f"{self._module} has ended with {self._process.returncode} before {what}")
                    await self._news.wait()
        except TimeoutError:
            raise TimeoutError(f"{self._module}: {what} did not come within {within:.0f} s; said {self.said}") from None
        return self.said

    async def __aexit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), END_SECONDS)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        self._listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._listening
