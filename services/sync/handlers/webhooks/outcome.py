"""What comes of a batch of deliveries: who has received what, who is tried again when, and how far the cursor may move."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.sync.domain import delivery
from services.sync.domain.outgoing import Receipt, Retry
from services.sync.domain.positions import Cursor, resolved
from services.sync.handlers.webhooks.needs import Answer
from services.sync.handlers.webhooks.upcoming import Batch, Item


@dataclass
class Outcome:
    """By customer."""

    receipts: dict[str, Receipt] = field(default_factory=dict)
    retries: dict[str, Retry | None] = field(default_factory=dict)
    failed: dict[str, Receipt] = field(default_factory=dict)
    """What is known of those who are tried again."""
    cursor: Cursor = field(default_factory=dict)


@dataclass(frozen=True)
class Terms:
    """What a batch is judged by."""

    policy_version: int
    schedule: Sequence[float]
    now: datetime
    channel_fails: bool
    """Whether most deliveries fail: then it is the channel and not the customer. Nothing is scheduled for later, the cursor
    stays, and the backlog costs nothing.
    """


def outcome_of(batch: Batch, answers: Mapping[str, Answer], terms: Terms) -> Outcome:
    """`answers` by customer; whoever has none was not sent anything that counts."""
    outcome = Outcome(retries=dict.fromkeys(batch.pointless))
    places: list[tuple[int, int, bool]] = []
    for item in batch.items:
        customer = item.changed.customer_id
        answer = answers.get(customer)
        done = not item.needed or (answer is not None and (answer.taken or not terms.channel_fails))
        if answer and answer.taken:
            outcome.receipts[customer] = receipt(item, answer, batch.generation, terms)
            if item.receipt and item.receipt.retry:
                outcome.retries[customer] = None
        elif answer and done:
            outcome.retries[customer] = again = retry(item, answer, terms)
            outcome.failed[customer] = (item.receipt or Receipt(customer))._replace(retry=again)
        if item.in_order:
            places.append((*item.changed.place, done))
    outcome.cursor = batch.emptied | resolved(places)
    return outcome


def retry(item: Item, answer: Answer, terms: Terms) -> Retry:
    """A newer version begins the schedule anew: it may well be what the receiver was waiting for."""
    before = item.receipt.retry if item.receipt else None
    same = before is not None and before.version in {0, item.changed.version}
    attempt = (before.attempt if before and same else 0) + 1
    pause = delivery.pause_before(attempt, terms.schedule, random.random())  # noqa: S311 - nothing secret
    return Retry(item.changed.version, attempt, terms.now + pause if pause else None, answer.said())


def receipt(item: Item, answer: Answer, generation: int, terms: Terms) -> Receipt:
    changed = item.changed
    return Receipt(
        changed.customer_id,
        changed.version,
        terms.policy_version,
        generation,
        changed.place,
        status=answer.status,
        at=terms.now,
        replays=item.receipt.replays if item.receipt else 0,
    )
