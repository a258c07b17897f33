"""What was sent and accepted, written down while the load runs. What must follow from it, the books know."""

from __future__ import annotations

import time
from array import array
from collections.abc import Sequence

from tests.load import Schedule
from tests.torture.decisions.families import families
from tests.torture.judge.books import Books
from tests.torture.judge.decided import Decided
from tests.torture.judge.letters import Original
from tests.torture.sendings import Marked, event_number, original, sent
from tests.torture.spec import TAG, Spec

UNSENT = 0.0


class Ledger:
    """One run's. Times are of the machine's monotonic clock, which all processes share."""

    def __init__(self, spec: Spec) -> None:
        self.books = Books(TAG, spec.events)
        self.books.watch(customer for family in families(spec) for customer in family.customers)
        self.decided = Decided()
        self.originals: dict[int, Original] = {}
        self.due = array("d", [UNSENT]) * spec.events
        """When an event was to leave, by its number: latency counts from here."""
        self.accepted_at = array("d", [UNSENT]) * spec.events
        self.left = 0
        self.sendings_accepted = 0

    def hand(self, messages: Sequence[Marked], schedule: Schedule) -> None:
        """These leave now."""
        for message in messages:
            number = event_number(message.entry.event_id)
            if self.due[number] == UNSENT:
                self.due[number] = schedule.at(self.left)
            self.left += 1

    def accept(self, message: Marked) -> None:
        """The platform has said that it has this."""
        line = sent(message)
        self.books.accept(line)
        self.sendings_accepted += 1
        if self.accepted_at[line.event] == UNSENT:
            self.accepted_at[line.event] = time.monotonic()
        if line.kind == "poison":
            self.originals[line.event] = original(message)
