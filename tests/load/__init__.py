"""A load of channel events from outside: seeded events with their ledger, an open-loop pacer, senders for both roads.

    mix = Mix(customers=10_000, duplicates=0.01, poison=0.01, reordered=0.05)
    for message in messages(mix, 100_000, seed=7):   # the same messages whenever asked
        message.entry                                # what an independent checker needs to know
        message.key, message.value, message.headers  # the Kafka record; message.structured is its form in an HTTP batch

Nothing of the platform is imported here: it speaks the wire only.
"""

from tests.load.messages import Entry, Message
from tests.load.mix import CHANNELS, Channel, Mix, mix_on
from tests.load.pacing import Lateness, Pacer, Schedule
from tests.load.plan import messages
from tests.load.roads import HttpRoad, KafkaRoad, Roads

__all__ = [
    "CHANNELS",
    "Channel",
    "Entry",
    "HttpRoad",
    "KafkaRoad",
    "Lateness",
    "Message",
    "Mix",
    "Pacer",
    "Roads",
    "Schedule",
    "messages",
    "mix_on",
]
