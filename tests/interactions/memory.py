"""Stores in memory that keep the promises of the real ones: test_store.py holds both to the same tests."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import Any

from services.interactions.domain import ORDER, Changes, Entry, Order, Placed, Return, Reversal, Standing, Tally
from services.interactions.handlers.dead_letters import Kept, Selection
from shared.contracts.interactions import OrderPlaced


class HistoryInMemory:
    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.awaited: dict[Order, tuple[Reversal, ...]] = {}
        self.counters: dict[str, list[Tally]] = {}

    async def known(
        self, names: Collection[str], orders: Collection[Order], session: Any
    ) -> tuple[set[str], dict[Order, Standing]]:
        taken = set(names) & (self.entries.keys() | {told.event.name for told in self._waiting()})
        placed = {order: standing for order, standing in map(_standing, self._of_kind(ORDER)) if order in orders}
        awaited = {order: _awaited(self.awaited[order]) for order in orders if order in self.awaited}
        return taken, placed | awaited

    async def known_returns(self, returns: Collection[Order], session: Any) -> set[Order]:
        recorded = {(entry.fact.channel, entry.number) for entry in self.entries.values() if entry.number}
        waiting = {(told.event.source, told.number) for told in self._waiting() if isinstance(told, Return)}
        return set(returns) & (recorded | waiting)

    async def change(self, changes: Changes, session: Any) -> None:
        for order in changes.arrived:
            del self.awaited[order]
        self.awaited |= {order: standing.waiting for order, standing in changes.awaited.items()}
        for standing in changes.amended.values():
            assert standing.placed
            entry = self.entries[standing.placed.order_id]
            self.entries[entry.name] = standing.amends(entry)

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
        told = (entry for entry in self._of_kind(ORDER) if (entry.fact.channel, entry.order) == (channel, number))
        return next(told, None)

    async def of_customer(
        self, customers: Collection[str], *, kind: str | None, after: tuple[datetime, str] | None, limit: int
    ) -> list[Entry]:
        found = (entry for entry in self._of_kind(kind) if entry.fact.customer_id in customers)
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

    def _waiting(self) -> Iterator[Reversal]:
        return chain.from_iterable(self.awaited.values())


def _standing(entry: Entry) -> tuple[Order, Standing]:
    fact = entry.fact
    assert isinstance(fact, OrderPlaced)
    placed = Placed(
        fact.order_id,
        fact.customer_id,
        fact.ordered_at,
        fact.currency,
        fact.total,
        fact.lines,
        fact.payment,
        fact.parcels,
    )
    return (fact.channel, entry.order or ""), Standing(
        placed, entry.returned, entry.cancelled_at, restocked=entry.restocked
    )


def _awaited(waiting: tuple[Reversal, ...]) -> Standing:
    standing = Standing(waiting=waiting, kept=len(waiting))
    for told in waiting:
        standing.take(told)
    return standing


class LettersInMemory:
    def __init__(self) -> None:
        self.kept: dict[str, Kept] = {}

    async def keep(self, letters: Sequence[Kept], session: Any) -> None:
        for kept in letters:
            self.kept.setdefault(kept.id, kept)

    async def letter(self, letter_id: str, session: Any = None) -> Kept | None:
        return self.kept.get(letter_id)

    async def letters(self, ids: Collection[str], session: Any) -> list[Kept]:
        return _oldest_first(self.kept[name] for name in ids if name in self.kept)

    async def open_ids(self, selection: Selection, *, most: int, most_bytes: int, session: Any) -> list[str]:
        ids: list[str] = []
        for kept in _oldest_first(self._selected(selection, "open"))[:most]:
            most_bytes -= kept.size
            if ids and most_bytes < 0:
                break
            ids.append(kept.id)
        return ids

    async def mark_replayed(self, ids: Collection[str], at: datetime, by: str, session: Any) -> None:
        self.kept |= {name: replace(self.kept[name], replayed_at=at, replayed_by=by) for name in ids}

    async def count_open(self, selection: Selection) -> int:
        return len(self._selected(selection, "open"))

    async def page(
        self, selection: Selection, *, status: str | None, after: tuple[datetime, str] | None, limit: int
    ) -> list[Kept]:
        newest_first = reversed(_oldest_first(self._selected(selection, status)))
        listed = [kept for kept in newest_first if after is None or (kept.kept_at, kept.id) < after]
        return [replace(kept, letter=replace(kept.letter, key=None, value=None, headers=[])) for kept in listed[:limit]]

    async def by_reason(self, status: str | None) -> dict[str, int]:
        return dict(sorted(Counter(kept.letter.reason.value for kept in self._selected(Selection(), status)).items()))

    def _selected(self, selection: Selection, status: str | None) -> list[Kept]:
        return [
            kept
            for kept in self.kept.values()
            if (selection.reason is None or kept.letter.reason is selection.reason)
            and (selection.handler is None or kept.letter.handler == selection.handler)
            and (selection.kept_until is None or kept.kept_at <= selection.kept_until)
            and (status is None or (status == "replayed") == (kept.replayed_at is not None))
        ]


def _oldest_first(letters: Iterable[Kept]) -> list[Kept]:
    return sorted(letters, key=lambda kept: (kept.kept_at, kept.id))
