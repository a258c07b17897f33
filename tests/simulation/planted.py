"""Bugs put into the real code on purpose: the simulation must find each of them, or it proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from pymongo import UpdateOne
from pymongo.errors import PyMongoError

from services.sync.domain import positions
from services.sync.domain.positions import Cursor
from services.sync.handlers.deliveries import Settlement
from services.sync.handlers.memory import Memory
from services.sync.handlers.webhooks import Worker, outcome
from services.sync.store import DeliveryStore, views
from shared import mongo
from shared.messaging import duplicates, outbox
from shared.messaging.consumer import Consumer
from shared.messaging.offsets import Offsets, Partition, Position
from shared.messaging.producer import Producer
from shared.messaging.received import Received, Record
from shared.messaging.relay import Relay
from shared.messaging.unit import Unit
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


def undelivered_passed_by() -> Any:
    def resolved(outcomes: Iterable[tuple[int, int, bool]]) -> Cursor:
        return positions.resolved((partition, position, True) for partition, position, _ in outcomes)

    return patch.object(outcome, "resolved", resolved)


def _settled_with(**changed: Any) -> Any:
    settle = DeliveryStore.settle

    async def settled(self: DeliveryStore, settlement: Settlement, session: Any) -> None:
        await settle(self, replace(settlement, **changed), session)

    return patch.object(DeliveryStore, "settle", settled)


def retries_forgotten() -> Any:
    return _settled_with(retries={})


def settled_in_whatever_generation() -> Any:
    return _settled_with(generation=None)


def cursor_moved_before_delivery() -> Any:
    deliver = Worker.deliver

    async def moved(self: Worker, channel: Any, batch: Any) -> None:
        places = {item.changed.place.partition: item.changed.place.position for item in batch.items if item.in_order}
        progresses = self.post.deliveries.progresses  # type: ignore[attr-defined]
        change = {"$max": {f"cursor.{partition}": position for partition, position in places.items()}}
        await progresses.update_one({"_id": self.channel_id}, change)
        await deliver(self, channel, batch)

    return patch.object(Worker, "deliver", moved)


def leases_given_to_everybody() -> Any:
    async def lease(self: DeliveryStore, channel_id: str, owner: str, seconds: float) -> bool:
        until = [{"$set": {"owner": owner, "until": {"$add": ["$$NOW", int(seconds * 1000)]}}}]
        return (await self.progresses.update_one({"_id": channel_id}, until)).matched_count == 1

    return patch.object(DeliveryStore, "lease", lease)


def leases_not_watched() -> Any:
    def lease_holds(self: Worker) -> bool:
        return True

    return patch.object(Worker, "lease_holds", lease_holds)


@contextmanager
def views_known_by_heart_written_unchecked() -> Iterator[None]:
    """Each of the two by itself does no harm: the one is checked by the other."""
    write_of = views.write_of

    def recall(self: Memory, partition: int, mark: str | None, customer_id: str) -> Any:
        leaf = self._leaves.get(partition)
        return leaf.views.get(customer_id) if leaf is not None else None

    def unchecked(version: Any, place: Any) -> Any:
        write = write_of(version, place)
        return write if write["upsert"] else {**write, "q": {"_id": write["q"]["_id"]}}

    with patch.object(Memory, "recall", recall), patch.object(views, "write_of", unchecked):
        yield


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
        undelivered_passed_by,
        retries_forgotten,
        settled_in_whatever_generation,
        cursor_moved_before_delivery,
        leases_given_to_everybody,
        leases_not_watched,
        views_known_by_heart_written_unchecked,
        *ABOUT_PERSONS,
        *ABOUT_WITHDRAWAL,
    )
}
