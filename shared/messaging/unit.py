"""A unit of work: one transaction, what it wants to tell, and what it refuses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias, TypeVar

from shared.contracts.fact import Fact, Reason, Topic
from shared.contracts.topics import DEAD_LETTERS
from shared.ids import uuid7s
from shared.messaging import dead_letters, outbox
from shared.messaging.envelope import rfc3339
from shared.messaging.outbox import Outgoing, Told
from shared.messaging.received import Received, Rejected
from shared.mongo import Database, Session

HEADROOM = 64 * 1024
"""Kept free for headers and the broker's own framing when a value is held against its topic's limit."""


class TooLarge(ValueError):
    """What is to be told is larger than its topic takes: the data have grown so, and will not be smaller the next time."""


@dataclass
class Unit:
    """Everything a handler may do beside reading and writing its own collections with `session`."""

    service: str
    database: Database
    session: Session
    group: str | None = None
    prepared: Any = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    outgoing: list[Outgoing | Told] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    afterwards: list[Callable[[], None]] = field(default_factory=list)
    """What this process does once the transaction is known to have committed. It may never come to it: a process dies, or
    is not told that a commit has succeeded.
    """
    _ids: Iterator[str] | None = None

    @property
    def _source(self) -> str:
        return f"/rapport/{self.service}"

    def publish(
        self,
        topic: Topic,
        fact: Fact,
        *,
        key: str,
        cause: Received | None = None,
        origin: str | None = None,
        correlation_id: str | None = None,
        time: datetime | None = None,
        spare: int = 0,
    ) -> None:
        """Tell a fact, if and when the transaction commits. `cause` hands on correlation id, origin and time; `spare` are bytes
        that its topic is to have left. Raises TooLarge.
        """
        data = fact.__pydantic_serializer__.to_json(fact)
        if len(data) + spare > topic.max_message_bytes - HEADROOM:
            raise TooLarge(f"{fact.TYPE} for {key} has {len(data)} bytes, more than {topic.name} takes from others")
        self.tell(topic, fact.TYPE, data, key=key, cause=cause, origin=origin, correlation_id=correlation_id, time=time)

    def tell(
        self,
        topic: Topic,
        type_: str,
        data: bytes,
        *,
        key: str,
        cause: Received | None = None,
        origin: str | None = None,
        correlation_id: str | None = None,
        time: datetime | None = None,
    ) -> None:
        """As `publish` does, a fact of this type that is JSON already. Raises TooLarge."""
        if len(data) > topic.max_message_bytes - HEADROOM:
            raise TooLarge(f"{type_} for {key} has {len(data)} bytes, more than {topic.name} takes")
        if self._ids is None:
            self._ids = uuid7s(self.now)
        event_id = next(self._ids)
        when = rfc3339(time or (cause.time if cause else self.now))
        correlation_id = correlation_id or (cause.correlation_id if cause else event_id)
        origin = origin or (cause.origin if cause else None)
        told = Told((topic.name, type_, self._source), key.encode(), data, event_id, when, correlation_id, origin)
        self.outgoing.append(told)

    def forward(self, record: Outgoing) -> None:
        """Publish a record as it is, through the outbox."""
        self.outgoing.append(record)

    def reject(self, event: Received, reason: Reason, detail: str) -> None:
        """Make the event's record (or its element) a dead letter; the rest of the batch goes on."""
        self.rejected.append(Rejected(event.record, event.topic, reason, detail, event.element))

    async def flush(self) -> None:
        """Write the outbox. The core calls it last in the transaction."""
        # A dead letter that its own keeper fails on stays in its topic; another one about it would never end.
        rejected = (r for r in self.rejected if r.topic != DEAD_LETTERS.name)
        letters = [dead_letters.letter(r, self.group or self.service, self._source, self.now) for r in rejected]
        await outbox.write(self.database, self.session, [*self.outgoing, *letters], self.now)

    def committed(self) -> None:
        """The core calls it behind the transaction."""
        for follow in self.afterwards:
            follow()


T = TypeVar("T")
Transact: TypeAlias = Callable[[Callable[[Unit], Awaitable[T]]], Awaitable[T]]
"""Runs a change in a transaction of its own and gives what it gives: `Messaging.transact`, as a use case asks for it."""
