"""Who is one with whom, in every service's own links; and that of the erased nothing is left anywhere but ids."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from tests.torture.judge.breach import Breaches
from tests.torture.judge.decided import Decided

LINKS, FORGOTTEN, RECEIPTED = (
    "links are as last decided",
    "the erased are forgotten",
    "every place says that it has erased",
)
LOG = "log"
"""This place is done when the log itself has forgotten, after two weeks: no run waits for it."""
ONLY_IDS = {"erasures", "erased", "erasing", "views", "deliveries", "channel_erasures", "idempotency", "changes"}
"""Collections in which an erased customer's id may stay: the ledger, tombstones, proof of what channels were sent, and that
somebody who lives was once found to be one with them.
"""
REFUSED = {"dead_letters", "dead_letter_bodies"}
"""Here somebody may be named whom nobody could recognise: what was refused after the look for it is about somebody new."""


class Ledgered(NamedTuple):
    """What contacts says of an erasure."""

    customers: frozenset[str]
    places: frozenset[str]
    open: frozenset[str]


class Trace(NamedTuple):
    """Where something of an erased customer was found."""

    service: str
    collection: str
    customer_id: str | None
    """None: by name, which is the number's."""
    number: int | None


def links(decided: Decided, kept: Mapping[str, Mapping[str, str | None]], breaches: Breaches) -> None:
    """`kept` are each service's links, the absorbed first; None: the one was set free."""
    expected = decided.into()
    for service, found in kept.items():
        for customer_id in found.keys() | expected.keys():
            what, number = f"{service}: {customer_id}", decided.numbers.get(customer_id)
            breaches.expect(LINKS, what, expected.get(customer_id), found.get(customer_id), customer=number)


def receipted(
    decided: Decided,
    ledger: Mapping[str, Ledgered],
    tombstones: Mapping[str, Collection[str]],
    channels: Collection[str],
    breaches: Breaches,
) -> None:
    """Each erasure that was asked for is in the ledger, and nothing else; all services have a tombstone and a receipt."""
    breaches.expect(RECEIPTED, "erasures", sorted(decided.erasures), sorted(ledger))
    may_hold = {LOG, *tombstones, *(f"channel:{name}" for name in channels)}
    for erasure_id, erasure in decided.erasures.items():
        number = decided.numbers[erasure.customers[0]]
        found = ledger.get(erasure_id, Ledgered(frozenset(), frozenset(), frozenset()))
        breaches.expect(
            RECEIPTED, f"{erasure_id}: whom", frozenset(erasure.customers), found.customers, customer=number
        )
        breaches.expect(RECEIPTED, f"{erasure_id}: open", {LOG}, set(found.open), customer=number)
        missing = {LOG, *tombstones} - found.places
        breaches.expect(RECEIPTED, f"{erasure_id}: not asked", set(), missing, customer=number)
        breaches.expect(RECEIPTED, f"{erasure_id}: strangers", set(), set(found.places - may_hold), customer=number)
    for service, ids in tombstones.items():
        breaches.expect(RECEIPTED, f"tombstones of {service}", set(decided.erased), set(ids))


def forgotten(decided: Decided, nameless: Collection[int], found: Iterable[Trace], breaches: Breaches) -> None:
    """`nameless` are the numbers by which nobody goes any more."""
    for trace in found:
        where = f"{trace.service}.{trace.collection}"
        if trace.customer_id is not None and trace.collection not in ONLY_IDS:
            number = decided.numbers.get(trace.customer_id)
            breaches.expect(FORGOTTEN, f"{trace.customer_id} in {where}", "no trace", "a trace", customer=number)
        if trace.number is not None and trace.collection not in REFUSED:
            what = f"customer {trace.number} by name in {where}"
            breaches.expect(FORGOTTEN, what, "no trace", "a trace", customer=trace.number)
    breaches.checks[FORGOTTEN] += len(decided.erased) + len(nameless)
