"""The load as a torture run sends it: the seeded messages with consents and correlation ids, and their ledger lines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import NamedTuple

from tests.load import CHANNELS, Message, Mix, messages
from tests.load.mix import CARD
from tests.load.poison import BY_NAME
from tests.torture.judge.books import Kind
from tests.torture.judge.identities import Naming
from tests.torture.judge.letters import Original

PURPOSE = "newsletter"
"""What the channel that needs consent uses the data for."""
NAMING = Naming(
    channels=[f"{channel.scheme}:{channel.scheme}-" for channel in CHANNELS],
    common=f"{CARD}:card-",
    email=("email:customer-", "@example.org"),
)
CONSENTS: tuple[str | None, ...] = ("granted", None, "granted", "withdrawn", "granted", "denied")
"""What contact reports say of consent, by their numbers: people change their minds."""


class Sent(NamedTuple):
    """A ledger line in the judge's terms."""

    event: int
    kind: Kind
    customer: int
    channel: int
    at: int
    cents: int
    said: str
    consent: str | None


class Marked(Message):
    """A message whose form in an HTTP batch carries its own id as correlation id, so that its path can be followed."""

    __slots__ = ()

    @property
    def structured(self) -> bytes:
        plain = super().structured
        return b'{"correlationid":"%b",%b' % (self.entry.event_id.encode(), plain[1:])


def load(mix: Mix, count: int, seed: int) -> Iterator[Marked]:
    for message in messages(mix, count, seed):
        yield Marked(*with_consent(message))


def with_consent(message: Message) -> Message:
    entry = message.entry
    status = consent(event_number(entry.event_id)) if entry.kind == "contact" else None
    if status is None:
        return message
    said = b',"consents":[{"purpose":"%b","status":"%b","given_at":"%b"}]}'
    at = entry.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    return message._replace(value=message.value[:-1] + said % (PURPOSE.encode(), status.encode(), at))


def consent(number: int) -> str | None:
    return CONSENTS[number * 7 // 3 % len(CONSENTS)]


def event_number(event_id: str) -> int:
    return int(event_id.rpartition("-")[2])


def sent(message: Message) -> Sent:
    entry, number = message.entry, event_number(message.entry.event_id)
    kind: Kind = "poison" if entry.poison else entry.kind
    said = entry.poison or entry.said
    status = consent(number) if kind == "contact" else None
    channel = CHANNELS.index(entry.channel)
    return Sent(number, kind, entry.customer, channel, int(entry.at.timestamp()), int(entry.total * 100), said, status)


def original(message: Message) -> Original:
    assert message.entry.poison is not None
    return Original(message.value, BY_NAME[message.entry.poison].reason)
