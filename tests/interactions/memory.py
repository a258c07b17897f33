"""Stores in memory that keep the promises of the real ones: test_store.py holds both to the same tests."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from services.interactions.domain import ORDER, Entry, Order, Tally


class HistoryInMemory:
    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.counters: dict[str, list[Tally]] = {}

    async def known_names(self, names: Collection[str], session: Any) -> set[str]:
        return set(names) & self.entries.keys()

    async def known_orders(self, orders: Collection[Order], session: Any) -> set[Order]:
        return set(orders) & {(entry.fact.channel, entry.order) for entry in self.entries.values() if entry.order}

    async def add(self, entries: Sequence[Entry], session: Any) -> None:
        self.entries |= {entry.name: entry for entry in entries}

    async def count(self, counter: str, tally: Tally, session: Any) -> None:
        self.counters.setdefault(counter, []).append(tally)

    async def figures(self) -> Tally:
        sums = Tally()
        for tally in (tally for counted in self.counters.values() for tally in counted):
            for name in Tally.__dataclass_fields__:
                setattr(sums, name, getattr(sums, name) + getattr(tally, name))
        return sums

    async def entry(self, name: str) -> Entry | None:
        return self.entries.get(name)

    async def order_by_number(self, channel: str, number: str) -> Entry | None:
        told = (entry for entry in self.entries.values() if (entry.fact.channel, entry.order) == (channel, number))
        return next(told, None)

    async def of_customer(
        self, customer_id: str, *, kind: str | None, after: tuple[datetime, str] | None, limit: int
    ) -> list[Entry]:
        found = (entry for entry in self._of_kind(kind) if entry.fact.customer_id == customer_id)
        newest_first = sorted(found, key=lambda entry: (entry.at, entry.name), reverse=True)
        return [entry for entry in newest_first if after is None or (entry.at, entry.name) < after][:limit]

    async def all(self, *, kind: str | None, after: str | None, limit: int) -> list[Entry]:
        by_name = sorted(self._of_kind(kind), key=lambda entry: entry.name)
        return [entry for entry in by_name if after is None or entry.name > after][:limit]

    async def orders(self, *, after: Order | None, limit: int) -> list[Entry]:
        numbered = sorted(((e.fact.channel, e.order or ""), e.name) for e in self._of_kind(ORDER))
        return [self.entries[name] for number, name in numbered if after is None or number > after][:limit]

    def _of_kind(self, kind: str | None) -> list[Entry]:
        return [entry for entry in self.entries.values() if kind in {None, entry.kind}]
