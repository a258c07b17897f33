"""Whether every report has had exactly one effect everywhere, in order. Shares nothing with the code that it judges."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tests.simulation.stories.judged import Wrong, difference
from tests.simulation.world.kafka.cluster import Record
from tests.simulation.world.world import World

if TYPE_CHECKING:
    from tests.simulation.stories.pipeline import Report

UNREADABLE = ("garbage", "unknown")


class Judge:
    """Compares what is stored and told with what was reported."""

    def __init__(self, world: World, reports: Sequence[Report], *, history_lost: bool) -> None:
        self._world = world
        self._history_lost = history_lost
        self._reports = reports
        self._first = list({report.id: report for report in reports}.values())

    def wrong(self) -> list[Wrong]:
        recorded = [r for r in self._first if r.kind not in {*UNREADABLE, "unfit", "poison"}]
        folded = [r for r in recorded if r.kind != "late-poison"]
        found = self._histories("first", recorded)
        found += self._told(recorded)
        found += self._histories("second", folded)
        found += self._letters(recorded)
        for service in ("first", "second"):
            rest = self._world.engine.table(service, "outbox").documents
            found += [Wrong("outbox drained", f"{service} has {len(rest)} documents in it")] if rest else []
        return found

    def _histories(self, service: str, expected: Sequence[Report]) -> list[Wrong]:
        documents = self._world.engine.table(service, "histories").documents
        found = {customer: document["events"] for customer, document in documents.items()}
        promise = f"one effect each, in order, in {service}"
        return self._compared(promise, found, expected, forgiving=service == "second")

    def _told(self, expected: Sequence[Report]) -> list[Wrong]:
        found: dict[str, list[str]] = {}
        for log in self._world.cluster.topic("crm.interactions"):
            for record in once(log):
                customer = (record.key or b"").decode()
                found.setdefault(customer, []).append(text(record, "ce_correlationid"))
        return self._compared("told once, in order", found, expected, forgiving=True)

    def _forgiven(self, events: list[str]) -> list[str]:
        """A relay whose oplog is gone may tell its last rounds again (docs/decisions/0002-outbox-of-batches.md)."""
        return list(dict.fromkeys(events)) if self._history_lost else events

    def _compared(
        self, promise: str, found: dict[str, list[str]], expected: Sequence[Report], *, forgiving: bool
    ) -> list[Wrong]:
        wrong: list[Wrong] = []
        for customer in sorted({report.customer for report in self._reports} | set(found)):
            wanted = [report.id for report in expected if report.customer == customer]
            own = found.get(customer, [])
            if forgiving:
                own, wanted = self._forgiven(own), self._forgiven(wanted)
            wrong += difference(promise, customer, own, wanted)
        return wrong

    def _letters(self, recorded: Sequence[Report]) -> list[Wrong]:
        """A report that is never recorded leaves a letter each time it comes; one that is refused, once."""
        expected = [("first", r.id) for r in self._reports if r.kind in {*UNREADABLE, "poison"}]
        expected += [("first", r.id) for r in self._first if r.kind == "unfit"]
        expected += [("second", r.id) for r in recorded if r.kind == "late-poison"]
        found = [
            (
                text(record, "rapport-handler"),
                text(record, "original.ce_correlationid") or text(record, "original.ce_id"),
            )
            for log in self._world.cluster.topic("crm.dead-letters")
            for record in once(log)
        ]
        if self._history_lost:
            found, expected = list(set(found)), list(set(expected))
        return difference("dead letters are the poison", "the topic", sorted(found), sorted(expected))


def once(log: Iterable[Record]) -> list[Record]:
    """The records without those that a publisher has published again."""
    newest: dict[str, str] = {}
    kept = []
    for record in log:
        publisher, sequence = text(record, "ce_source"), text(record, "ce_sequence")
        if sequence > newest.get(publisher, ""):
            newest[publisher] = sequence
            kept.append(record)
    return kept


def text(record: Record, header: str) -> str:
    return (dict(record.headers).get(header) or b"").decode()
