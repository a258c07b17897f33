"""Which message comes when: customers drawn, some sent twice, some broken, channels held up. Fixed by mix and seed alone."""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice

from tests.load.messages import Message, Writer
from tests.load.mix import Channel, Kind, Mix
from tests.load.poison import POISONS, broken

SOON = 50
"""A second copy sent soon follows within so many events."""
HELD = (20, 200)
"""For how many messages a channel is held up, at least and at most."""
DISTANCE = 2_000
"""For how many messages a second copy can keep us waiting; memory holds so many."""


def messages(mix: Mix, count: int, seed: int = 0) -> Iterator[Message]:
    """So many sendings in the order in which they leave; second copies and poison are among the count."""
    sendings = with_copies(mix, fresh(mix, seed), seed)
    return islice(held_up(mix, sendings, seed) if mix.reordered else sendings, count)


def fresh(mix: Mix, seed: int) -> Iterator[Message]:
    """Events without end, each once."""
    chance, writer, customer = random.Random(f"{seed} events"), Writer(mix), chooser(mix)
    poison_channels = tuple(channel for channel in mix.channels if channel.road == "kafka")
    number = 0
    while True:
        who = customer(chance.random())
        if mix.everybody_first and number < mix.customers:
            who = mix.first_customer + number
        if poison_channels and mix.poison and chance.random() < mix.poison:
            channel = poison_channels[who % len(poison_channels)]
            sale = writer.write(number, channel, "sale", who, chance)
            yield broken(sale, POISONS[number % len(POISONS)])
        else:
            pick = who if mix.one_channel_each else int(chance.random() * len(mix.channels))
            channel = mix.channels[pick % len(mix.channels)]
            yield writer.write(number, channel, kind(mix, chance.random()), who, chance)
        number += 1


def kind(mix: Mix, drawn: float) -> Kind:
    if drawn < mix.contacts:
        return "contact"
    return "interaction" if drawn < mix.contacts + mix.interactions else "sale"


def chooser(mix: Mix) -> Callable[[float], int]:
    """From a number in [0, 1) to a customer. Zipf's law by its continuous inverse, which needs no table."""
    first, customers, skew = mix.first_customer, mix.customers, mix.skew
    if not skew:
        return lambda drawn: first + int(drawn * customers)
    if skew == 1:
        return lambda drawn: first + int((customers + 1) ** drawn) - 1
    power = 1 - skew
    span = (customers + 1) ** power - 1
    return lambda drawn: first + min(customers, int((1 + drawn * span) ** (1 / power))) - 1


def with_copies(mix: Mix, events: Iterator[Message], seed: int) -> Iterator[Message]:
    """Some events a second time, later. Poison is never sent twice: each is to become exactly one dead letter."""
    if not mix.duplicates:
        yield from events
        return
    chance = random.Random(f"{seed} copies")
    waiting: list[tuple[int, int, Message]] = []
    for place, message in enumerate(events):
        yield message
        while waiting and waiting[0][0] <= place:
            yield heapq.heappop(waiting)[2]
        if message.entry.poison is None and chance.random() < mix.duplicates:
            wait = chance.randrange(1, SOON if chance.random() < 0.5 else DISTANCE)
            copy = message._replace(entry=message.entry._replace(again=True))
            heapq.heappush(waiting, (place + wait, place, copy))


def held_up(mix: Mix, sendings: Iterator[Message], seed: int) -> Iterator[Message]:
    """Now and then a channel's messages wait, in their order, while the other channels' go on."""
    chance = random.Random(f"{seed} order")
    often = mix.reordered / (sum(HELD) / 2) * len(mix.channels)
    queues: dict[Channel, deque[Message]] = {channel: deque() for channel in mix.channels}
    until = dict.fromkeys(mix.channels, -1)
    for place, message in enumerate(sendings):
        if chance.random() < often:
            channel = mix.channels[int(chance.random() * len(mix.channels))]
            until[channel] = max(until[channel], place + chance.randrange(*HELD))
        queues[message.entry.channel].append(message)
        for channel, queue in queues.items():
            while queue and until[channel] < place:
                yield queue.popleft()
