"""Which faults strike and how often: drawn anew for every seed, so that some runs are calm and others mix everything."""

from __future__ import annotations

import random
from collections import Counter

CALM = 0.35
"""So many of the kinds of faults do not happen at all in a run."""
KINDS = {
    "mongo.lost-before": 0.03,
    "mongo.lost-after": 0.03,
    "mongo.transaction-aborted": 0.04,
    "mongo.commit-unknown-done": 0.08,
    "mongo.commit-unknown-not-done": 0.08,
    "mongo.stream-broken": 0.05,
    "kafka.produce-refused": 0.08,
    "kafka.ack-lost": 0.08,
    "kafka.batch-late": 0.05,
    "kafka.commit-lost": 0.2,
    "kafka.offsets-rewound": 0.3,
    "handler.transient": 0.05,
    "http.error": 0.4,
    "http.busy": 0.15,
    "http.answer-lost": 0.2,
    "http.silent": 0.15,
}
"""The highest rate of each: how often a call that it can strike is struck."""


class Weather:
    """The faults of one run, until it clears up."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._rates = {kind: 0.0 if chance.random() < CALM else most * chance.random() for kind, most in KINDS.items()}
        self.struck: Counter[str] = Counter()

    def strikes(self, kind: str) -> bool:
        rate = self._rates[kind]
        if not rate or self._chance.random() >= rate:
            return False
        self.struck[kind] += 1
        return True

    def clear_up(self) -> None:
        self._rates = dict.fromkeys(self._rates, 0.0)
