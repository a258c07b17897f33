"""How a subscription reads records: as events, as dead letters on their way back to it, or as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter

from shared.contracts.topics import REPLAYS
from shared.messaging import dead_letters
from shared.messaging.received import Intake, Received, Record, Rejected
from shared.messaging.subscription import Subscription

TOPIC = attrgetter("topic")


class Reading:
    """Of one subscription; `namespace` is before every topic's name in Kafka."""

    def __init__(self, subscription: Subscription, namespace: str) -> None:
        self.subscription = subscription
        self._namespace = len(namespace)

    def name(self, topic: str) -> str:
        """A topic of Kafka as the contracts call it."""
        return topic[self._namespace :]

    def read(self, records: Sequence[Record], intake: Intake) -> None:
        for name, some in groupby(records, TOPIC):
            topic = self.name(name)
            if topic == REPLAYS.name:
                for record in some:
                    self._read_replay(record, intake)
            elif self.subscription.raw:
                intake.events += [_raw(record, topic) for record in some]
            else:
                rules = self.subscription.rules[topic]
                for record in some:
                    intake.read(record, rules)

    def first_topic(self, record: Record) -> str:
        """Where a record has first stood: a dead letter on its way back comes from elsewhere."""
        topic = self.name(record.topic)
        return _replayed_from(dict(record.headers)) if topic == REPLAYS.name else topic

    def _read_replay(self, record: Record, intake: Intake) -> None:
        """A dead letter on its way back: read as it first was, if it was we who refused it."""
        headers = dict(record.headers)
        if headers.get(dead_letters.REPLAY_GROUP) != self.subscription.group.encode():
            return
        rules = self.subscription.rules.get(_replayed_from(headers))
        if rules is None:
            return
        before, refused = len(intake.events), len(intake.rejected)
        intake.read(record, rules, headers)
        sequence = headers.get("ce_sequence")
        read: list[Received | Rejected] = [*intake.events[before:], *intake.rejected[refused:]]
        for one in read:
            one.sequence = sequence.decode("ascii", "replace") if sequence else None


def _replayed_from(headers: Mapping[str, bytes | None]) -> str:
    return (headers.get(dead_letters.REPLAY_TOPIC) or b"").decode("utf-8", "replace")


def _raw(record: Record, topic: str) -> Received:
    headers = dict(record.headers)

    def text(name: str) -> str | None:
        value = headers.get(name)
        return None if value is None else value.decode("utf-8", "replace")

    moment = datetime.fromtimestamp(record.timestamp / 1000, UTC)
    event_id = text("ce_id") or f"{topic}:{record.partition}:{record.offset}"
    return Received(
        event_id,
        text("ce_source") or "",
        text("ce_type") or "",
        (record.key or b"").decode("utf-8", "replace"),
        moment,
        None,
        topic,
        record.partition,
        record.offset,
        text("ce_sequence"),
        text("ce_correlationid") or event_id,
        text("ce_origin"),
        record,
    )
