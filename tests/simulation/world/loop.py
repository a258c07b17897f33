"""An event loop whose time is simulated, and processes in it that can be killed or paused between any two steps."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVar, cast

from tests.simulation.world.modelled import NotModelled

T = TypeVar("T")
PROCESS: ContextVar[Process | None] = ContextVar("process", default=None)
ATTEMPTS_TO_CLOSE = 20


class Stuck(Exception):
    """The world does not come to an end: nothing is left to happen, or far too much has happened."""


class Process:
    """A simulated process: every step of its tasks asks whether it lives and is not paused."""

    def __init__(self, name: str, loop: Loop) -> None:
        self.name = name
        self.dead = False
        self.paused_until = 0.0
        self._loop = loop
        self.context = copy_context()
        self.context.run(PROCESS.set, self)

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        return self._loop.create_task(work, context=self.context)


class Handle:
    """Something that is to be called, as asyncio expects it."""

    __slots__ = ("_args", "_callback", "_cancelled", "_when", "context")

    def __init__(self, when: float, callback: Callable[..., object], args: tuple[Any, ...], context: Context) -> None:
        self._when = when
        self._callback = callback
        self._args = args
        self._cancelled = False
        self.context = context

    def cancel(self) -> None:
        self._cancelled = True

    def cancelled(self) -> bool:
        return self._cancelled

    def when(self) -> float:
        return self._when

    def run(self) -> None:
        self.context.run(self._callback, *self._args)


class Nap:
    """A wait for a moment: of a future only what a task asks of one, because most of a run is waiting."""

    __slots__ = ("_asyncio_future_blocking", "_cancelled", "_handle", "_loop", "_wake", "_when")

    def __init__(self, loop: Loop, when: float) -> None:
        self._loop = loop
        self._when = when
        self._cancelled = False
        self._handle: Handle | None = None
        self._wake: Callable[..., object] | None = None
        self._asyncio_future_blocking = False

    def __await__(self) -> Generator[Any, None, None]:
        self._asyncio_future_blocking = True
        yield self

    def get_loop(self) -> Loop:
        return self._loop

    def add_done_callback(self, wake: Callable[..., object], *, context: Context) -> None:
        self._wake = wake
        self._handle = self._loop.call_at(self._when, wake, self, context=context)

    def cancel(self, msg: object = None) -> bool:
        if self._handle is None or self._wake is None or self._cancelled:
            return False
        self._cancelled = True
        self._handle.cancel()
        self._loop.call_soon(self._wake, self, context=self._handle.context)
        return True

    def result(self) -> None:
        if self._cancelled:
            raise asyncio.CancelledError


class Loop:
    """Just as much of an event loop as tasks, futures, timeouts, locks and task groups ask for."""

    def __init__(self) -> None:
        self.now = 0.0
        self.steps = 0
        self.over = False
        self.outside = copy_context()
        """The context of whatever belongs to no process: the network, the engines, the weather."""
        self.outside.run(PROCESS.set, None)
        self.complaints: list[str] = []
        self._ready: deque[Handle] = deque()
        self._timers: list[tuple[float, int, Handle]] = []
        self._number = 0
        self._tasks: list[asyncio.Task[Any]] = []

    # What asyncio calls

    def time(self) -> float:
        return self.now

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return not self.over

    def is_closed(self) -> bool:
        return self.over

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self.asyncio)

    def create_task(
        self, work: Coroutine[Any, Any, T], *, name: str | None = None, context: Context | None = None
    ) -> asyncio.Task[T]:
        task = asyncio.Task(work, loop=self.asyncio, name=name, context=context)
        self._tasks.append(task)
        return task

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> Handle:
        handle = Handle(self.now, callback, args, context or copy_context())
        self._ready.append(handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        return self.call_at(self.now + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        handle = Handle(when, callback, args, context or copy_context())
        self._push(when, handle)
        return handle

    def call_exception_handler(self, what: dict[str, Any]) -> None:
        self.complaints.append(f"{what.get('message')}: {what.get('exception')!r}")

    # What the world calls

    @property
    def asyncio(self) -> asyncio.AbstractEventLoop:
        return cast("asyncio.AbstractEventLoop", self)

    def outside_at(self, when: float, callback: Callable[..., object], *args: Any) -> Handle:
        """At a moment, whatever becomes of the process that wants it."""
        return self.call_at(when, callback, *args, context=self.outside)

    async def lag(self, seconds: float) -> None:
        if not self.over:
            await Nap(self, self.now + seconds)

    def run(self, main: Coroutine[Any, Any, T], most_steps: int) -> T:
        """Until `main` is done; whatever else is under way then, ends as in a power cut. Raises Stuck."""
        NotModelled.met.clear()
        asyncio._set_running_loop(self.asyncio)
        try:
            task = self.create_task(main, context=self.outside)
            while not task.done():
                self._step(most_steps)
                if NotModelled.met:
                    raise NotModelled.met[0]
            return task.result()
        finally:
            self._end()
            asyncio._set_running_loop(None)

    def _step(self, most_steps: int) -> None:
        if not self._ready:
            self._wait()
        handle = self._ready.popleft()
        if handle._cancelled:
            return
        process = handle.context.get(PROCESS)
        if process is not None:
            if process.dead:
                return
            if process.paused_until > self.now:
                self._push(process.paused_until, handle)
                return
        self.steps += 1
        if self.steps > most_steps:
            raise Stuck(f"{self.steps} steps and no end")
        handle.context.run(handle._callback, *handle._args)

    def _wait(self) -> None:
        while self._timers:
            when, _, handle = heapq.heappop(self._timers)
            if not handle._cancelled:
                self.now = max(self.now, when)
                self._ready.append(handle)
                return
        raise Stuck("nothing is left to happen")

    def _push(self, when: float, handle: Handle) -> None:
        self._number += 1
        heapq.heappush(self._timers, (when, self._number, handle))

    def _end(self) -> None:
        """Close what is still suspended, without letting it wait for anything any more."""
        self.over = True
        for task in self._tasks:
            if not task.done():
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                _close(task.get_coro())
            elif not task.cancelled():
                task.exception()
        self._ready.clear()
        self._timers.clear()
        self._tasks.clear()


def _close(work: Any) -> None:
    """A coroutine that awaits in its `finally` refuses to be closed until it has come to its end."""
    for _ in range(ATTEMPTS_TO_CLOSE):
        try:
            work.close()
        except BaseException:  # noqa: BLE001 - what the dead still want to say is of no interest
            continue
        return


def settle(future: asyncio.Future[Any], value: Any = None) -> None:
    if not future.done():
        future.set_result(value)


def fail(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
