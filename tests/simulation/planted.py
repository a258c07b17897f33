"""Bugs put into the real code on purpose: the simulation must find each of them, or it proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any
from unittest.mock import patch

from pymongo import UpdateOne
from pymongo.errors import PyMongoError

from shared import mongo
from shared.messaging import duplicates, outbox
from shared.messaging.consumer import Consumer
from shared.messaging.offsets import Offsets, Partition, Position
from shared.messaging.producer import Producer
from shared.messaging.received import Received, Record
from shared.messaging.relay import Relay
from shared.messaging.unit import Unit
from tests.simulation.planted_deliveries import ABOUT_DELIVERIES
from tests.simulation.planted_persons import ABOUT_PERSONS
from tests.simulation.planted_withdrawal import ABOUT_WITHDRAWAL


def planted(bug: str | None) -> AbstractContextManager[Any]:
    return BUGS[bug]() if bug else nullcontext()


def position_moved_before_the_effect() -> Any:
    async def move(self: Offsets, moved: dict[Partition, Position], session: Any) -> None:
        for place, to in moved.items():
            state = {"next": to.next, "sequences": to.sequences}
            await self._documents.update_one({"_id": self._id(place)}, {"$set": state}, upsert=True)

    return patch.object(Offsets, "move", move)


def position_moved_without_a_guard() -> Any:
    async def move(self: Offsets, moved: dict[Partition, Position], session: Any) -> None:
        writes = [
            UpdateOne({"_id": self._id(place)}, {"$set": {"next": to.next, "sequences": to.sequences}}, upsert=True)
            for place, to in moved.items()
        ]
        await self._documents.bulk_write(writes, session=session)

    return patch.object(Offsets, "move", move)


def redelivered_records_taken_again() -> Any:
    def unseen(self: Offsets, records: Sequence[Record]) -> list[Record]:
        return list(records)

    return patch.object(Offsets, "unseen", unseen)


def republished_events_taken_again() -> Any:
    def fresh(self: Offsets, events: Sequence[Received]) -> list[Received]:
        return list(events)

    return patch.object(Offsets, "fresh", fresh)


def positions_believed_after_a_failure() -> Any:
    def forget(self: Offsets) -> None:
        """Nothing is forgotten."""

    return patch.object(Offsets, "forget", forget)


def reports_sent_twice_taken_twice() -> Any:
    async def fresh(unit: Unit, events: Sequence[Received]) -> tuple[list[Received], int]:
        return list(events), 0

    return patch.object(duplicates, "fresh", fresh)


def outbox_written_outside_the_transaction() -> Any:
    write = outbox.write

    async def apart(database: Any, _session: Any, events: Any, now: Any) -> None:
        await write(database, None, events, now)  # type: ignore[arg-type]

    return patch.object(outbox, "write", apart)


def acknowledgements_not_awaited() -> Any:
    async def acknowledged(self: Producer, producer: Any, sent: Any) -> None:
        """They will come."""

    return patch.object(Producer, "_acknowledged", acknowledged)


def refused_batches_forgotten() -> Any:
    acknowledged = Producer._acknowledged

    async def ignored(self: Producer, producer: Any, sent: Any) -> None:
        try:
            await acknowledged(self, producer, sent)
        except Exception:  # noqa: BLE001 - the bug
            return

    return patch.object(Producer, "_acknowledged", ignored)


@contextmanager
def token_saved_before_publishing() -> Iterator[None]:
    next_round = Relay._next_round

    async def saved(self: Relay, stream: Any) -> Any:
        found = await next_round(self, stream)
        if stream.resume_token:
            await self._save(token=stream.resume_token)
        return found

    with patch.object(Relay, "_next_round", saved):
        yield


def batch_condemned_whole() -> Any:
    async def condemned(self: Consumer, records: Sequence[Record]) -> None:
        error = await self._outcome(records)
        if error is not None:
            for record in records:
                await self._condemn(record, error)

    return patch.object(Consumer, "_narrow", condemned)


def unknown_commits_taken_for_done() -> Any:
    async def commit(session: Any, _deadline: float) -> None:
        try:
            await session.commit_transaction()
        except PyMongoError as error:
            if not error.has_error_label("UnknownTransactionCommitResult"):
                raise

    return patch.object(mongo, "_commit", commit)


def dead_letters_not_written() -> Any:
    flush = Unit.flush

    async def without(self: Unit) -> None:
        self.rejected.clear()
        await flush(self)

    return patch.object(Unit, "flush", without)


BUGS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    bug.__name__.replace("_", "-"): bug
    for bug in (
        position_moved_before_the_effect,
        position_moved_without_a_guard,
        redelivered_records_taken_again,
        republished_events_taken_again,
        positions_believed_after_a_failure,
        reports_sent_twice_taken_twice,
        outbox_written_outside_the_transaction,
        acknowledgements_not_awaited,
        refused_batches_forgotten,
        token_saved_before_publishing,
        batch_condemned_whole,
        unknown_commits_taken_for_done,
        dead_letters_not_written,
        *ABOUT_DELIVERIES,
        *ABOUT_PERSONS,
        *ABOUT_WITHDRAWAL,
    )
}
