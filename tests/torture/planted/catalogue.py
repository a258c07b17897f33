"""All planted bugs, each with the short run that gives it the chance to do harm."""

from __future__ import annotations

from typing import Any

from tests.torture.planted import consuming, delivering, publishing, recording, uniting
from tests.torture.planted.bug import Bug

CALM: dict[str, Any] = {}
KILLS: dict[str, Any] = {"faults": 8, "kinds": ("service killed",)}
BROKER: dict[str, Any] = {"faults": 6, "kinds": ("kafka killed", "services killed")}
"""What waits for the broker dies with the process that waits."""
DATABASE: dict[str, Any] = {"faults": 4, "kinds": ("mongo killed",)}
MOODS: dict[str, Any] = {"misbehaviour": 6}
STRANGERS: dict[str, Any] = {"misbehaviour": 10, "customers": 4_000}
"""Nearly everybody is told of once, so that no later change makes up for one that was not delivered."""
TALK: dict[str, Any] = {"contacts": 0.5, "reordered": 0.3, "customers": 200}
"""The same is said of the same people again and again, by channels that are held up."""
TWO: dict[str, Any] = {"instances": 2}
FEW: dict[str, Any] = {"customers": 200, "decided": 0.04}
"""Much is decided about few, of whom something is always under way."""
EVERY = ("contacts", "interactions", "campaigns", "scoring", "sync")

_ALL = (
    Bug(
        "offset-before-write",
        "the offset moves in a write of its own, before the transaction that makes the effect",
        EVERY,
        consuming.offset_before_write,
        DATABASE,
    ),
    Bug(
        "guard-off", "offsets are not guarded: what is delivered again counts again", EVERY, consuming.guard_off, KILLS
    ),
    Bug(
        "sequence-filter-off",
        "what a relay publishes twice counts twice",
        EVERY,
        consuming.sequence_filter_off,
        DATABASE,
    ),
    Bug(
        "poison-swallowed",
        "malformed records are dropped without a dead letter",
        ("interactions",),
        consuming.poison_swallowed,
        CALM,
    ),
    Bug(
        "token-before-publish",
        "the relay saves its place before it has published",
        EVERY,
        publishing.token_before_publish,
        BROKER,
    ),
    Bug(
        "acknowledgement-not-awaited",
        "the outbox is emptied before the broker has acknowledged",
        EVERY,
        publishing.acknowledgement_not_awaited,
        BROKER,
    ),
    Bug(
        "relay-out-of-order",
        "the relay publishes a round in the wrong order",
        EVERY,
        publishing.relay_out_of_order,
        CALM,
    ),
    Bug(
        "accepted-before-the-broker",
        "HTTP answers 202 before the broker has the event",
        ("interactions",),
        publishing.accepted_before_the_broker,
        BROKER,
    ),
    Bug(
        "duplicates-counted",
        "an event that a channel sends twice has its effect twice",
        ("interactions",),
        recording.duplicates_counted,
        CALM,
    ),
    Bug("total-rounded", "an order's total loses its cents", ("interactions",), recording.total_rounded, CALM),
    Bug(
        "last-arrival-wins",
        "what arrives last holds, not what was said last",
        ("contacts",),
        recording.last_arrival_wins,
        TALK,
    ),
    Bug("score-left-out", "the view keeps the first score", ("sync",), recording.score_left_out, CALM),
    Bug(
        "held-off-by-one",
        "the version after the one that a channel has is taken for it",
        ("sync",),
        delivering.held_off_by_one,
        CALM,
    ),
    Bug("lease-ignored", "two instances deliver to a channel", ("sync",), delivering.lease_ignored, TWO),
    Bug(
        "cursor-before-delivery",
        "a channel's place moves before the deliveries are made",
        ("sync",),
        delivering.cursor_before_delivery,
        STRANGERS,
    ),
    Bug(
        "retry-forgotten",
        "what a receiver has refused is not tried again",
        ("sync",),
        delivering.retry_forgotten,
        MOODS,
    ),
    Bug(
        "consent-skipped",
        "a channel is told although the customer has not agreed",
        ("sync",),
        delivering.consent_skipped,
        CALM,
    ),
    Bug(
        "fields-not-cut",
        "a channel is told more fields than its policy names",
        ("sync",),
        delivering.fields_not_cut,
        CALM,
    ),
    Bug(
        "wrong-body-signed",
        "the signature is of other bytes than the body",
        ("sync",),
        delivering.wrong_body_signed,
        CALM,
    ),
    Bug(
        "stream-starts-at-the-end",
        "a stream that comes back begins where the changes end",
        ("sync",),
        delivering.stream_starts_at_the_end,
        MOODS,
    ),
    Bug(
        "links-outside",
        "a merge's link is kept outside of the transaction that acts on it",
        ("campaigns", "scoring", "sync"),
        uniting.links_outside,
        FEW,
    ),
    Bug(
        "parted-with-the-sum",
        "who is parted keeps the other's orders",
        ("scoring",),
        uniting.parted_with_the_sum,
        FEW,
    ),
    Bug(
        "erased-once",
        "what comes for the erased makes them anew, and nobody looks again",
        EVERY,
        uniting.erased_once,
        FEW,
    ),
)
BUGS = {bug.name: bug for bug in _ALL}
