"""Everything that is not the same twice, replaced for the time of a run: clocks, chance, ids."""

from __future__ import annotations

import random
import secrets
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from unittest.mock import patch

from bson import ObjectId

from services.contacts.handlers import forgetting
from shared import clock
from shared.erasing import tombstones, work
from shared.messaging import outbox, relay, unit
from tests.simulation.world.loop import PROCESS, Loop

EPOCH = datetime(2026, 11, 1, tzinfo=UTC)
"""When the simulated wall clocks begin."""


def wall(loop: Loop) -> datetime:
    return EPOCH + timedelta(seconds=loop.now)


@contextmanager
def simulated(loop: Loop, chance: random.Random) -> Iterator[None]:
    """The process's clocks and its chance follow the loop's time and the seed."""

    class Moment(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return wall(loop)

    counter = iter(range(1 << 24))

    def object_id() -> ObjectId:
        """As a driver makes it: seconds, five bytes of the process, a counter."""
        process = PROCESS.get()
        machine = zlib.crc32(process.name.encode() if process else b"")
        seconds = int(wall(loop).timestamp())
        return ObjectId(seconds.to_bytes(4, "big") + machine.to_bytes(5, "big") + next(counter).to_bytes(3, "big"))

    state = random.getstate()
    random.seed(chance.getrandbits(64))
    with ExitStack() as stack:
        stack.callback(random.setstate, state)
        stack.enter_context(patch.object(time, "monotonic", loop.time))
        stack.enter_context(patch.object(time, "time", lambda: EPOCH.timestamp() + loop.now))
        stack.enter_context(patch.object(secrets, "randbits", chance.getrandbits))
        stack.enter_context(patch.object(secrets, "token_bytes", lambda n=32: chance.randbytes(n)))
        stack.enter_context(patch.object(secrets, "token_hex", lambda n=32: chance.randbytes(n).hex()))
        stack.enter_context(patch.object(unit, "datetime", Moment))
        stack.enter_context(patch.object(relay, "datetime", Moment))
        for module in (clock, forgetting, tombstones, work):
            stack.enter_context(patch.object(module, "datetime", Moment))
        stack.enter_context(patch.object(outbox, "ObjectId", object_id))
        yield
