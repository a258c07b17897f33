"""Events that no service could take: kept until somebody has looked at them, and sent back when the cause is gone."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import orjson

from services.interactions.domain import name_of
from shared.contracts.fact import Reason
from shared.messaging import Received, Unit
from shared.messaging.dead_letters import DeadLetter, read, replay
from shared.messaging.envelope import rfc3339

REPLAY_BYTES = 8 * 1_048_576
REPLAY_LETTERS = 500
"""What one transaction sends back at most; a single larger letter goes alone."""
SKIMMED_BYTES = 1_000_000
"""Structured events up to this size are opened to see what they are."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A dead letter in the store."""

    id: str
    letter: DeadLetter
    kept_at: datetime
    source: str | None
    type: str | None
    event_id: str | None
    size: int
    """Bytes of the body."""
    replayed_at: datetime | None = None
    replayed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """Which dead letters: those with all of these properties."""

    reason: Reason | None = None
    handler: str | None = None
    kept_until: datetime | None = None


class AlreadyReplayed(Exception):
    """It has been sent back before. If it was refused once more, that is a dead letter of its own."""


class Letters(Protocol):
    """Where dead letters are kept. `session` stands for the transaction."""

    async def keep(self, letters: Sequence[Kept], session: Any) -> None: ...

    async def letter(self, letter_id: str, session: Any = None) -> Kept | None: ...

    async def open_ids(self, selection: Selection, *, most: int, most_bytes: int, session: Any) -> list[str]: ...

    async def letters(self, ids: Collection[str], session: Any) -> list[Kept]: ...

    async def mark_replayed(self, ids: Collection[str], at: datetime, by: str, session: Any) -> None: ...


class DeadLetters:
    """Keeps what arrives on `crm.dead-letters`, and sends it back through `crm.replays`."""

    def __init__(self, letters: Letters) -> None:
        self._letters = letters

    async def keep(self, unit: Unit, records: Sequence[Received]) -> None:
        """In the transaction. What is no dead letter becomes one, so that even it is seen."""
        kept = []
        for received in records:
            try:
                kept.append(_kept(read(received.record), unit.now))
            except (KeyError, ValueError) as error:
                unit.reject(received, Reason.INVALID_ENVELOPE, f"not a dead letter: {type(error).__name__}")
        if kept:
            await self._letters.keep(kept, unit.session)

    async def replay(self, unit: Unit, letter_id: str, by: str) -> Kept | None:
        """In a transaction: send one back to the group that refused it. None if there is no such letter."""
        kept = await self._letters.letter(letter_id, unit.session)
        if kept is None:
            return None
        if kept.replayed_at is not None:
            raise AlreadyReplayed
        await self._send_back(unit, [kept], by)
        return replace(kept, replayed_at=unit.now, replayed_by=by)

    async def replay_some(self, unit: Unit, selection: Selection, by: str) -> int:
        """In a transaction: send back as many of the open ones as one transaction carries. 0: there are none left."""
        ids = await self._letters.open_ids(
            selection, most=REPLAY_LETTERS, most_bytes=REPLAY_BYTES, session=unit.session
        )
        await self._send_back(unit, await self._letters.letters(ids, unit.session), by)
        return len(ids)

    async def _send_back(self, unit: Unit, letters: Sequence[Kept], by: str) -> None:
        if not letters:
            return
        for kept in letters:
            unit.forward(replay(kept.letter))
        await self._letters.mark_replayed([kept.id for kept in letters], unit.now, by, unit.session)


def _kept(letter: DeadLetter, now: datetime) -> Kept:
    # Its place alone is not enough: the log can be made anew, and then has the same places again.
    name = name_of(letter.id, rfc3339(letter.first_seen))
    told = _attributes(letter)
    return Kept(name, letter, now, told.get("source"), told.get("type"), told.get("id"), len(letter.value or b""))


def _attributes(letter: DeadLetter) -> dict[str, str]:
    """Which event it was, as far as anybody can tell."""
    told: dict[str, Any] = {name: letter.attribute(name) for name in ("source", "type", "id")}
    if not any(told.values()) and letter.value and len(letter.value) <= SKIMMED_BYTES:
        told = _skimmed(letter.value)
    return {name: value[:512] for name, value in told.items() if isinstance(value, str)}


def _skimmed(value: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(value)
    except orjson.JSONDecodeError:
        return {}
    return {name: document.get(name) for name in ("source", "type", "id")} if isinstance(document, dict) else {}
