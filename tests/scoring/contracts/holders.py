"""Simulated holders of contracts who complain, pay late, move and leave; complaints foretell who leaves, or are noise."""

from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from services.scoring.domain.behaviour import Behaviour, Doing
from services.scoring.domain.contracts.facts import ContractFact, Contracts, Kind
from tests.scoring.orders import START

HORIZON = 30
DAYS = 420
END = START + timedelta(days=DAYS)
COMPLAINT_DAYS, LEAVING_DAYS, MOVING_DAYS, FAILING_DAYS = 150.0, 900.0, 2_000.0, 2_000.0
"""Between two complaints, and until a holder leaves of no reason, moves, or misses a payment; on average, at any age alike, so
that the base's hazards know all there is to know but complaints."""
LEAVES = 0.9
"""Of those who complain, where complaints are telling: within COMPLAINT_LEAVES days."""
COMPLAINT_LEAVES = 35.0
RECOVERING_DAYS, LAPSING_DAYS = 20.0, 60.0
"""From a missed payment; whichever comes first."""


class Held(NamedTuple):
    """What happened to a contract, and when its holder complained."""

    happened: list[tuple[datetime, Kind]]
    complained: list[datetime]

    @property
    def contracts(self) -> Contracts:
        return Contracts.of(ContractFact("C", at, kind, f"{kind.name}-{at}") for at, kind in self.happened)

    @property
    def behaviour(self) -> bytes:
        return Behaviour.of((at, Doing.COMPLAINT) for at in self.complained).pack()


def held(customers: int, seed: int, *, telling: bool) -> list[Held]:
    random = np.random.default_rng(seed)
    return [_held(random, telling=telling) for _ in range(customers)]


def _held(random: np.random.Generator, *, telling: bool) -> Held:
    began = float(random.uniform(0, 0.8 * DAYS))
    ends = [
        (began + random.exponential(LEAVING_DAYS), Kind.CANCELLED),
        (began + random.exponential(MOVING_DAYS), Kind.MOVED),
    ]
    complained = [began + random.exponential(COMPLAINT_DAYS)]
    while complained[-1] < DAYS:
        complained.append(complained[-1] + random.exponential(COMPLAINT_DAYS))
    if telling:
        ends += [
            (at + random.uniform(1, COMPLAINT_LEAVES), Kind.CANCELLED) for at in complained if random.random() < LEAVES
        ]
    failures, at = [], began + random.exponential(FAILING_DAYS)
    while at < DAYS:
        failures.append((at, Kind.PAYMENT_FAILED))
        recovered, lapsed = at + random.exponential(RECOVERING_DAYS), at + random.exponential(LAPSING_DAYS)
        if lapsed < recovered:
            ends.append((lapsed, Kind.LAPSED))
            break
        failures.append((recovered, Kind.PAYMENT_RECOVERED))
        at = recovered + random.exponential(FAILING_DAYS)
    last = min(ends)
    until = min(last[0], float(DAYS))
    happened = [
        (began, Kind.STARTED),
        *(one for one in failures if one[0] < until),
        *([last] if last[0] < DAYS else []),
    ]
    return Held(
        [(START + timedelta(days=day), kind) for day, kind in happened],
        [START + timedelta(days=day) for day in complained if day < until],
    )
