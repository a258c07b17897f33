"""That somebody who was erased is gone: what each place has receipted, and what it answers when it is asked for them."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from demo.ledger.accounts import Account
from demo.ledger.difference import Difference, unequal
from demo.ledger.people import Document

SERVICES = ("contacts", "interactions", "campaigns", "scoring", "sync")
LOG = "log"
"""Forgets by itself, two weeks later; so its receipt cannot be there yet."""


@dataclass(frozen=True, slots=True)
class Gone:
    """What the platform and the channels say of somebody who was erased."""

    erasure: Document
    answers: Mapping[str, int]
    """How much is found of them, by question."""
    told: Mapping[str, Collection[str]]
    """The customers of whom each channel was told to keep nothing, by channel."""
    named: Mapping[str, int]
    """In how many of a channel's copies one of their identifiers still stands, by channel."""


def mentions(account: Account, copy: Document) -> bool:
    """Whether one of the account's identifiers, or the e-mail address, stands anywhere in a channel's copy."""
    text = json.dumps(copy)
    values = {name.partition(":")[2] for name in account.identifiers} | ({account.email} if account.email else set())
    return any(f'"{value}"' in text for value in values)


def compare_forgotten(account: Account, gone: Gone) -> list[Difference]:
    """The account is of all that was one with them, as it was before."""
    return [*receipts(account, gone), *remains(gone)]


def receipts(account: Account, gone: Gone) -> Iterator[Difference]:
    name, erasure = f"household {account.household}", gone.erasure
    places = {place["place"]: place for place in erasure["places"]}
    expected = {*SERVICES, *(f"channel:{channel}" for channel in gone.told), LOG}
    yield from unequal(f"{name}: places that have to forget", sorted(expected), sorted(places))
    yield from unequal(f"{name}: places that have not receipted", [], sorted(set(erasure["open"]) - {LOG}))
    yield from unequal(f"{name}: erased together", len(account.parts), len(erasure["customers"]))
    for place, told in places.items():
        yield from unequal(f"{name}: kept by law in {place}", [], list(told["kept"]))
    removed = {place: told["removed"] for place, told in places.items()}
    lines = len(account.orders) + account.interactions + account.contract_events
    for place, collection, count in (
        ("contacts", "identities", len(account.identifiers)),
        ("interactions", "history", lines),
        ("sync", "views", len(account.parts)),
    ):
        yield from unequal(f"{name}: {collection} removed", count, removed.get(place, {}).get(collection, 0))


def remains(gone: Gone) -> Iterator[Difference]:
    for question, count in gone.answers.items():
        yield from unequal(f"left of the erased in {question}", 0, count)
    for channel, told in gone.told.items():
        yield from unequal(f"{channel}: told to forget", sorted(gone.erasure["customers"]), sorted(told))
        yield from unequal(f"{channel}: copies that name the erased", 0, gone.named[channel])
