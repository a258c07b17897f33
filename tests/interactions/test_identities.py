"""Resolving customers: who is asked, and when."""

from collections.abc import Mapping, Sequence

import pytest

from services.interactions.domain import Identity, identity_of
from services.interactions.handlers.identities import Identities, Memory
from shared.contracts.fact import Identifier
from tests.interactions.facts import ANNA, BEN, identifiers


class Away(Exception):
    """The directory gives no answer."""


class BookOfContacts:
    """A directory that keeps what it was asked."""

    def __init__(self, **customers: str) -> None:
        self.customers = {identity.replace("_", ":"): customer_id for identity, customer_id in customers.items()}
        self.asked: list[list[Identity]] = []
        self.away = False

    async def resolve(self, customers: Sequence[Sequence[Identifier]]) -> list[str]:
        if self.away:
            raise Away
        self.asked.append([identity_of(each) for each in customers])
        return [next(self.customers[str(i)] for i in each if str(i) in self.customers) for each in customers]


class SharedCache:
    def __init__(self) -> None:
        self.kept: dict[Identity, str] = {}
        self.asked: list[Identity] = []

    async def get(self, identities: Sequence[Identity]) -> dict[Identity, str]:
        self.asked += identities
        return {identity: self.kept[identity] for identity in identities if identity in self.kept}

    async def put(self, customers: Mapping[Identity, str]) -> None:
        self.kept.update(customers)


class Watch:
    """A clock that the test winds."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


async def test_a_batch_asks_contacts_once_and_for_each_identity_once() -> None:
    book = BookOfContacts(pos_1=ANNA, pos_2=BEN)
    resolved = await Identities(book, SharedCache()).resolve(identifiers(each) for each in ("pos:1", "pos:2", "pos:1"))
    assert resolved == {("pos:1",): ANNA, ("pos:2",): BEN}
    assert book.asked == [[("pos:1",), ("pos:2",)]]


async def test_what_is_remembered_asks_nobody() -> None:
    book, cache = BookOfContacts(pos_1=ANNA), SharedCache()
    identities = Identities(book, cache)
    await identities.resolve([identifiers("pos:1")])
    assert await identities.resolve([identifiers("pos:1")]) == {("pos:1",): ANNA}
    assert (len(book.asked), len(cache.asked)) == (1, 1)


async def test_another_instance_finds_the_answer_in_the_cache() -> None:
    book, cache = BookOfContacts(pos_1=ANNA), SharedCache()
    await Identities(book, cache).resolve([identifiers("pos:1")])
    assert await Identities(book, cache).resolve([identifiers("pos:1")]) == {("pos:1",): ANNA}
    assert len(book.asked) == 1


async def test_a_new_identifier_of_a_known_customer_is_brought_to_contacts() -> None:
    book = BookOfContacts(pos_1=ANNA)
    identities = Identities(book, SharedCache())
    await identities.resolve([identifiers("pos:1")])
    await identities.resolve([identifiers("pos:1", "card:9")])
    assert book.asked[-1] == [("pos:1", "card:9")]


async def test_without_contacts_what_is_known_is_still_resolved_and_the_rest_waits() -> None:
    book = BookOfContacts(pos_1=ANNA)
    identities = Identities(book, SharedCache())
    await identities.resolve([identifiers("pos:1")])
    book.away = True
    assert await identities.resolve([identifiers("pos:1")]) == {("pos:1",): ANNA}
    with pytest.raises(Away):
        await identities.resolve([identifiers("pos:1"), identifiers("pos:2")])


def test_memory_forgets_after_its_time_however_often_it_is_asked() -> None:
    watch = Watch()
    memory = Memory(seconds=100, monotonic=watch)
    memory.put({("pos:1",): ANNA})
    for watch.seconds in range(0, 100, 7):
        memory.get([("pos:1",)])
    assert memory.get([("pos:1",)]) == {("pos:1",): ANNA}
    watch.seconds = 101
    memory.get([])
    watch.seconds = 152
    assert memory.get([("pos:1",)]) == {}


def test_memory_forgets_everything_after_a_long_silence() -> None:
    watch = Watch()
    memory = Memory(seconds=100, monotonic=watch)
    memory.put({("pos:1",): ANNA})
    watch.seconds = 100
    assert memory.get([("pos:1",)]) == {}


def test_memory_holds_no_more_than_its_size() -> None:
    memory = Memory(size=10)
    for n in range(100):
        memory.put({(f"pos:{n}",): ANNA})
    assert 5 <= len(memory.get([(f"pos:{n}",) for n in range(100)])) <= 10
