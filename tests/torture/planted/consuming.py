"""Mistakes in how records are consumed. Every function plants one."""

from __future__ import annotations

from typing import Any

from tests.torture.planted.bug import reached, replaced


def offset_before_write() -> None:
    from shared.messaging.offsets import Offsets

    def make(real: Any) -> Any:
        async def move(self: Any, moved: Any, session: Any) -> None:
            reached("offset-before-write")
            await real(self, moved, None)

        return move

    replaced(Offsets, "move", make)


def guard_off() -> None:
    from shared.messaging.offsets import Offsets

    def move(_: Any) -> Any:
        async def nothing(self: Any, moved: Any, session: Any) -> None:
            reached("guard-off")

        return nothing

    replaced(Offsets, "move", move)
    replaced(Offsets, "unseen", lambda _: lambda self, records: list(records))
    replaced(Offsets, "fresh", lambda _: lambda self, events: list(events))


def sequence_filter_off() -> None:
    from shared.messaging.offsets import Offsets

    def make(real: Any) -> Any:
        def fresh(self: Any, events: Any) -> Any:
            if len(real(self, events)) < len(events):
                reached("sequence-filter-off")
            return list(events)

        return fresh

    replaced(Offsets, "fresh", make)


def poison_swallowed() -> None:
    from shared.messaging.unit import Unit

    def make(real: Any) -> Any:
        async def flush(self: Any) -> None:
            kept = [rejected for rejected in self.rejected if rejected.reason != "malformed"]
            if len(kept) < len(self.rejected):
                reached("poison-swallowed")
            self.rejected = kept
            await real(self)

        return flush

    replaced(Unit, "flush", make)
