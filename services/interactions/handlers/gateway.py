"""What channel systems send over HTTP: judged event by event, and passed on to `crm.inbound` as it came."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from services.interactions.domain import NotAcceptable, check
from shared.contracts.channels import INBOUND, MAX_EVENT_BYTES
from shared.contracts.fact import Reason
from shared.messaging import CloudEvent, Outgoing, Refused
from shared.messaging.envelope import admit, from_json
from shared.security import Principal


class Sender(Protocol):
    """Gives records to the broker. Returns when it has acknowledged all of them, else raises."""

    async def send(self, records: Sequence[Outgoing]) -> None: ...


class NotYours(Refused):
    """A channel's key speaks for that channel only."""

    def __init__(self, source: str) -> None:
        detail = f"with this key, source must be {source} or begin with {source}/"
        super().__init__(Reason.INVALID_ENVELOPE, detail, "source")


@dataclass(frozen=True, slots=True)
class Sent:
    """Who sends a request's events, and under which correlation id they go on if they bring none."""

    by: Principal
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """One event of a request that was not taken, and why."""

    index: int
    id: str | None
    refused: Refused


class Gateway:
    """Events that it accepts are in Kafka; events that it rejects are nowhere."""

    def __init__(self, sender: Sender, currency: str) -> None:
        self._sender = sender
        self._currency = currency

    async def accept(self, event: CloudEvent, sent: Sent) -> None:
        """Pass one event on, or raise Refused."""
        await self._sender.send([self._judged(event, sent)])

    async def accept_all(self, documents: Sequence[Any], sent: Sent) -> list[Rejection]:
        """Pass on those of the events (in structured mode, decoded) that keep their contract; return the others.

        If the broker does not acknowledge all of them this raises, and the sender does best to send all again: what
        did arrive is recognised by its source and id.
        """
        records, rejected = [], []
        for index, document in enumerate(documents):
            try:
                records.append(self._judged(from_json(document), sent))
            except Refused as refused:
                rejected.append(Rejection(index, _id(document), refused))
        if records:
            await self._sender.send(records)
        return rejected

    def _judged(self, event: CloudEvent, sent: Sent) -> Outgoing:
        _check_source(event, sent.by)
        fact: Any = admit(INBOUND.types, event, MAX_EVENT_BYTES)
        try:
            check(fact, self._currency)
        except NotAcceptable as fault:
            raise Refused(fault.reason, fault.detail, fault.field) from None
        event.correlation_id = event.correlation_id or sent.correlation_id
        event.sequence = event.origin = None  # what we say about events, nobody else does
        return Outgoing(INBOUND.name, str(fact.customer[0]).encode(), event.data, event.headers())


def _check_source(event: CloudEvent, principal: Principal) -> None:
    if principal.kind != "channel" or principal.channel_id is None:
        return
    own = f"/channels/{principal.channel_id}"
    if event.source != own and not event.source.startswith(f"{own}/"):
        raise NotYours(own)


def _id(document: Any) -> str | None:
    told = document.get("id") if isinstance(document, dict) else None
    return told[:512] if isinstance(told, str) else None
