"""What dead letters look like over HTTP: with their bodies one by one only."""

import base64
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from services.interactions.handlers.dead_letters import Kept
from shared.contracts.fact import Reason

Id = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Status = Literal["open", "replayed"]


class DeadLetterItem(BaseModel):
    """An event that a service could not take, without what it says."""

    id: Id
    reason: Reason
    detail: Annotated[str, Field(description="Which rule it breaks, field by field, without the values.")]
    status: Status
    handler: Annotated[str, Field(description="The consumer group that refused it.")]
    topic: str
    partition: int
    offset: int
    element: Annotated[int | None, Field(description="Its position, if the record was a batch.")] = None
    first_seen: datetime
    replays: Annotated[int, Field(description="How often it had been sent back before it was refused this time.")]
    source: str | None = None
    type: str | None = None
    event_id: str | None = None
    size: Annotated[int, Field(description="Bytes of the body.")]
    replayed_at: datetime | None = None
    replayed_by: str | None = None


class Header(BaseModel):
    """A header of the original record."""

    name: str
    value: str | None
    encoding: Literal["text", "base64"] = "text"


class DeadLetterDetails(DeadLetterItem):
    """A dead letter in full: the original key, headers and body, as text where they are UTF-8."""

    key: str | None = None
    headers: list[Header]
    body: str | None
    encoding: Literal["text", "base64"]


def item(kept: Kept) -> DeadLetterItem:
    return DeadLetterItem(**_item(kept))


def _item(kept: Kept) -> dict[str, Any]:
    letter = kept.letter
    return {
        "id": kept.id,
        "reason": letter.reason,
        "detail": letter.detail,
        "status": "replayed" if kept.replayed_at else "open",
        "handler": letter.handler,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "element": letter.element,
        "first_seen": letter.first_seen,
        "replays": letter.replays,
        "source": kept.source,
        "type": kept.type,
        "event_id": kept.event_id,
        "size": kept.size,
        "replayed_at": kept.replayed_at,
        "replayed_by": kept.replayed_by,
    }


def details(kept: Kept) -> DeadLetterDetails:
    letter = kept.letter
    body, encoding = _shown(letter.value)
    headers = [_header(name, value) for name, value in letter.headers]
    return DeadLetterDetails(**_item(kept), key=_shown(letter.key)[0], headers=headers, body=body, encoding=encoding)


def _header(name: str, value: bytes | None) -> Header:
    text, encoding = _shown(value)
    return Header(name=name, value=text, encoding=encoding)


def _shown(value: bytes | None) -> tuple[str | None, Literal["text", "base64"]]:
    if value is None:
        return None, "text"
    try:
        return value.decode(), "text"
    except UnicodeDecodeError:
        return base64.b64encode(value).decode(), "base64"
