"""What is sent in which order: time order, some of it twice, some of it broken. Fixed by the seed alone."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from demo.emitters.event import CONTACT, CONTRACT, INTERACTION, SALE, Event
from demo.emitters.faults import WAYS, Fault, Message, broken
from demo.emitters.systems import Transport

SEED = 20170101
TWICE = 0.01
BROKEN = 0.005
SOON = 50
"""A copy sent soon follows within so many events; the other copies follow at any later time."""
KINDS = {CONTACT: "contacts", SALE: "sales", INTERACTION: "interactions", CONTRACT: "contracts"}


@dataclass(frozen=True, slots=True)
class Step:
    """One sending of one event."""

    event: Event
    fault: Fault | None = None
    again: bool = False

    @property
    def transport(self) -> Transport:
        return self.event.system.transport

    @property
    def message(self) -> Message:
        if self.fault is None:
            return Message(self.event.envelope(), self.event.data)
        return broken(self.event, self.fault)


@dataclass(frozen=True, slots=True)
class Tally:
    """What a plan contains, for the ledger: what is to be dropped and refused, where and why."""

    sent: int = 0
    events: Counter[str] = field(default_factory=Counter)
    """Valid events, each counted once, by kind."""
    twice: Counter[str] = field(default_factory=Counter)
    """Second copies, by kind."""
    dead_letters: Counter[str] = field(default_factory=Counter)
    """Broken events into Kafka, by reason."""
    rejected: Counter[str] = field(default_factory=Counter)
    """Broken events over HTTP, by reason."""


def plan(events: Sequence[Event], seed: int = SEED) -> list[Step]:
    """The events in their order, with second copies and broken ones in between."""
    chance = random.Random(seed)
    placed = [(float(place), Step(event)) for place, event in enumerate(events)]
    placed += second_copies(events, chance)
    placed += broken_ones(events, chance)
    return [step for _, step in sorted(placed, key=lambda item: item[0])]


def second_copies(events: Sequence[Event], chance: random.Random) -> Iterator[tuple[float, Step]]:
    for number, place in enumerate(chance.sample(range(len(events)), round(TWICE * len(events)))):
        later = chance.uniform(0, SOON) if number % 2 else chance.uniform(0, len(events) - place)
        yield place + later + 0.5, Step(events[place], again=True)


def broken_ones(events: Sequence[Event], chance: random.Random) -> Iterator[tuple[float, Step]]:
    sales: dict[Transport, list[int]] = {"http": [], "kafka": []}
    for place, event in enumerate(events):
        if event.type == SALE:
            sales[event.system.transport].append(place)
    ways = chance.sample(WAYS, len(WAYS))
    for number in range(max(len(ways), round(BROKEN * len(events)))):
        fault, transport = ways[number % len(ways)]
        # Each sale is the model of one broken event at most, so broken ids are unique too; a few households run out.
        if models := sales[transport]:
            place = models.pop(chance.randrange(len(models)))
            yield place + 0.25, Step(events[place], fault)


def until(steps: Sequence[Step], moment: datetime) -> int:
    """The number of steps before the first new event of that moment or later."""
    return next((n for n, step in enumerate(steps) if not step.again and step.event.at >= moment), len(steps))


def gone_quiet(steps: Sequence[Step], start: int) -> int | None:
    """A household of which nothing is sent from a step on, not even a copy or something broken, and nothing broken was:
    of those with two cards, else of all, who bought most. None: there is nobody.
    """
    still_here = {step.event.household for step in steps[start:]} | {one.event.household for one in steps if one.fault}
    cards: dict[int, set[str]] = {}
    sales: Counter[int] = Counter()
    for step in steps[:start]:
        household = step.event.household
        if household not in still_here and step.event.type == SALE and not step.again:
            sales[household] += 1
            cards.setdefault(household, set()).add(step.event.data["customer"][-1]["value"])
    return max(sales, key=lambda household: (len(cards[household]), sales[household], household), default=None)


def tally(steps: Sequence[Step]) -> Tally:
    counted = Tally(sent=len(steps))
    for step in steps:
        kind = KINDS[step.event.type]
        if step.fault is None:
            (counted.twice if step.again else counted.events)[kind] += 1
        else:
            (counted.dead_letters if step.transport == "kafka" else counted.rejected)[step.fault.reason] += 1
    return counted
