"""Bugs about views and what channels are sent of them, put into the real code on purpose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from services.sync.domain import positions
from services.sync.domain.positions import Cursor
from services.sync.handlers.deliveries import Settlement
from services.sync.handlers.memory import Memory
from services.sync.handlers.webhooks import Worker, outcome
from services.sync.store import DeliveryStore, views


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


ABOUT_DELIVERIES = (
    undelivered_passed_by,
    retries_forgotten,
    settled_in_whatever_generation,
    cursor_moved_before_delivery,
    leases_given_to_everybody,
    leases_not_watched,
    views_known_by_heart_written_unchecked,
)
