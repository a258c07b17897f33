"""What is to be sent to a channel, in which words and under which id, and what need not be sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple

import orjson

from services.sync.domain.policy import Policy, allowed
from services.sync.domain.positions import Cursor
from services.sync.domain.sensitive import Sensitive
from services.sync.domain.view import Origins, newest_by_others


class Place(NamedTuple):
    """Where in the order of changes a view stands."""

    partition: int
    position: int


NOWHERE = Place(0, 0)


class Changed(NamedTuple):
    """A customer's view as it is stored: JSON at its place in the order of changes."""

    customer_id: str
    version: int
    changed_at: str
    place: Place
    origins: Origins
    view: bytes
    merged_into: str | None = None
    restricted: bool = False
    erased: str | None = None
    """The erasure, where there is no customer any more."""


class Retry(NamedTuple):
    """A delivery that has not worked yet, or that somebody has asked for again."""

    version: int
    attempt: int
    next_at: datetime | None
    """None: it has failed for good."""
    error: str | None = None


class Receipt(NamedTuple):
    """What a channel has received of a customer, newest only, and what is still owed to it.

    There is one as soon as anything of the customer may have been sent and failed, or is to be sent again.
    """

    customer_id: str
    version: int = 0
    """0: nothing yet, as far as is known."""
    policy_version: int = 0
    generation: int = 0
    place: Place = NOWHERE
    stream: str | None = None
    """The connection over which it went, where it was a stream."""
    status: int | None = None
    at: datetime | None = None
    first_at: datetime | None = None
    times: int = 0
    replays: int = 0
    """How often somebody has asked for this customer again."""
    retry: Retry | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a channel has got."""

    cursor: Cursor = field(default_factory=dict)
    generation: int = 1
    """Grows whenever the channel is to receive again what it already has."""
    trouble: "Trouble | None" = None
    reach: Cursor = field(default_factory=dict)
    """Up to where a webhook may have been sent anything, whatever is known to have arrived."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a channel does not get on, since when, and when it is tried again."""

    error: str
    since: datetime
    resume_at: datetime


class Verdict(Enum):
    SEND = "send"
    HELD = "held"
    """The channel already has this version."""
    ECHO = "echo"
    """All that has changed since the version that the channel has was reported by the channel itself."""


def verdict(source: str | None, changed: Changed, held: int) -> Verdict:
    """Whether a channel that holds version `held` (0: none) needs this one.

    The first version always goes out, even if the channel's own report made it: it tells the customer's id.
    """
    if held >= changed.version:
        return Verdict.HELD
    if held and source and newest_by_others(changed.origins, source) <= held:
        return Verdict.ECHO
    return Verdict.SEND


def erasure_verdict(changed: Changed, receipt: Receipt | None, held: int) -> Verdict:
    """Whether a channel has to hear that a customer is erased: if it was ever sent anything of them, or may have been, whatever
    has become of that, and by whomever it was caused.
    """
    return Verdict.SEND if receipt is not None and held < changed.version else Verdict.HELD


def held(receipt: Receipt | None, generation: int) -> int:
    """The version that a channel has acknowledged, as far as that counts in this generation."""
    return receipt.version if receipt and receipt.generation == generation else 0


def held_by_stream(receipt: Receipt | None, generation: int, stream: str, start: Mapping[int, int]) -> int:
    """The same for a stream, which acknowledges nothing but by where it resumes.

    What an earlier connection sent beyond that point may never have arrived.
    """
    if receipt is None:
        return 0
    arrived = receipt.stream == stream or receipt.place.position <= start.get(receipt.place.partition, 0)
    return held(receipt, generation) if arrived else 0


def message_id(channel_id: str, policy: Policy, changed: Changed, receipt: Receipt | None, generation: int) -> str:
    """The same for every attempt at the same content; another if the content is asked for again."""
    times_asked = generation + (receipt.replays if receipt else 0)
    return f"{channel_id}.{changed.customer_id}.{changed.version}.{policy.version}.{times_asked}"


def body(channel_id: str, policy: Policy, changed: Changed, at: datetime, sensitive: Sensitive) -> bytes:
    """What is delivered, as JSON on one line; `at` is the moment, by which grants run out."""
    head: dict[str, Any] = {
        "channel": channel_id,
        "policy_version": policy.version,
        "customer_id": changed.customer_id,
        "version": changed.version,
        "changed_at": changed.changed_at,
    }
    if changed.erased:
        return orjson.dumps(head | {"withheld": [], "erased": changed.erased, "customer": {}})
    part = allowed(policy, changed.view, at, sensitive)
    head["withheld"] = part.withheld
    if changed.merged_into:
        # As the ids themselves, whatever the policy: without it a channel would keep somebody who is somebody else.
        head["merged_into"] = changed.merged_into
    if changed.restricted:
        head["restricted"] = True
    # The customer's part is JSON already, and nearly all of the body.
    return b'%s,"customer":%s}' % (orjson.dumps(head)[:-1], part.customer)
