"""Which customer an event is about: memory first, then the shared cache, then contacts, which owns the answer."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol

from services.interactions.domain import Identity, identity_of
from shared.contracts.fact import Identifier


class Directory(Protocol):
    """Contacts: knows every customer, and registers a prospect for a list of identifiers that nobody has told yet."""

    async def resolve(self, customers: Sequence[Sequence[Identifier]]) -> Sequence[str]: ...


class Cache(Protocol):
    """What instances share. It may forget and it may be away, which is the same: no answer."""

    async def get(self, identities: Sequence[Identity]) -> Mapping[Identity, str]: ...

    async def put(self, customers: Mapping[Identity, str]) -> None: ...


class Memory:
    """The answers of the last while, in two generations: the young one becomes the old one when it is full or aged.

    An answer is not kept for being asked often, so none is older than two generations.
    """

    def __init__(
        self, size: int = 200_000, seconds: float = 300.0, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._size = size // 2
        self._seconds = seconds / 2
        self._monotonic = monotonic
        self._young: dict[Identity, str] = {}
        self._old: dict[Identity, str] = {}
        self._born = monotonic()

    def get(self, identities: Iterable[Identity]) -> dict[Identity, str]:
        self._age()
        young, old = self._young, self._old
        found = ((identity, young.get(identity) or old.get(identity)) for identity in identities)
        return {identity: customer_id for identity, customer_id in found if customer_id}

    def put(self, customers: Mapping[Identity, str]) -> None:
        self._age()
        self._young.update(customers)

    def _age(self) -> None:
        age = self._monotonic() - self._born
        if len(self._young) < self._size and age < self._seconds:
            return
        self._old = self._young if age < 2 * self._seconds else {}
        self._young = {}
        self._born = self._monotonic()


class Identities:
    """Resolves all identities of a batch in one go.

    An answer is kept for the whole list of identifiers, not for each of them: a list that is new to us goes to
    contacts even if some of it is known, because contacts attaches the rest; and where a list names two customers,
    contacts decides between them for this list only.
    """

    def __init__(
        self,
        directory: Directory,
        cache: Cache,
        memory: Memory | None = None,
        erased: Callable[[Iterable[str]], Collection[str]] = lambda _: (),
    ) -> None:
        """`erased`: who of some customers was erased. Their identifiers are nobody's now, whatever was answered before."""
        self._directory = directory
        self._cache = cache
        self._memory = memory or Memory()
        self._erased = erased

    async def resolve(self, customers: Iterable[Sequence[Identifier]]) -> dict[Identity, str]:
        """The customer id of every identity. Raises what the directory raises if nobody else has the answer."""
        wanted = {identity_of(identifiers): identifiers for identifiers in customers}
        found = self._memory.get(wanted)
        if len(found) < len(wanted):
            unknown = [identity for identity in wanted if identity not in found]
            cached = await self._cache.get(unknown)
            told = await self._ask({i: wanted[i] for i in unknown if i not in cached})
            self._memory.put({**cached, **told})
            found |= {**cached, **told}
        if gone := self._erased(found.values()):
            found |= await self._anew({i: wanted[i] for i, customer in found.items() if customer in gone})
        return found

    async def _anew(self, outlived: Mapping[Identity, Sequence[Identifier]]) -> dict[Identity, str]:
        told = await self._ask(outlived)
        self._memory.put(told)
        return told

    async def _ask(self, unknown: Mapping[Identity, Sequence[Identifier]]) -> dict[Identity, str]:
        if not unknown:
            return {}
        told = dict(zip(unknown, await self._directory.resolve(list(unknown.values())), strict=True))
        await self._cache.put(told)
        return told
