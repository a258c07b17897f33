"""What an order costs scoring apart from any server: its customer read, added to, scored, counted, packed and told."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import numpy as np

from services.scoring.domain.channels import Channel, FirstOrder, earliest
from services.scoring.domain.mbg_cnbd import MbgCnbd
from services.scoring.domain.model import ByChannel, Held, Model, refit
from services.scoring.domain.population import Population, changes
from services.scoring.domain.purchases import Order, Purchases
from services.scoring.domain.purchasing import Family
from services.scoring.domain.score import Terms
from services.scoring.domain.tempo import Tempo
from services.scoring.domain.yearly import Season
from services.scoring.handlers import Known, scored_of
from services.scoring.store.population import packed
from services.scoring.store.rows import document_of
from tests.scoring.events import customer
from tests.scoring.orders import synthetic_base

BASE, DAYS = 5_000, 900
BATCH = 500
CHANNELS = ("till", "web-shop", "call-centre", "wholesale")
"""That customers came by, each with parameters of its own."""
RHYTHM = MbgCnbd(3, 2.4, 50.0, 0.9, 2.5)
"""As often as the base buys, and more regularly."""
SEASON, PACES = Season.of(np.linspace(0.7, 1.3, 13)), Tempo(-0.4, 0.3, 50.0, 3.5)
ROUNDS, WARM_UP = 15, 5


@dataclass(frozen=True)
class EventCost:
    """Microseconds of CPU a customer: medians of the rounds after a few to warm up."""

    whole: float
    scoring: float


def measured(rhythm: bool = False, turns: bool = False) -> EventCost:
    """With parameters fitted to the base, or with those of buyers with a rhythm; `turns`: with a season and own paces."""
    base, end = synthetic_base(BASE, DAYS, seed=11)
    population = Population().plus([changes((Purchases(), one) for one in base)])
    fit = refit(population.histogram, end)
    if isinstance(fit, Held):
        raise SystemExit(f"the fit is held: {fit.doubts}")
    apart = tuple(Channel(name, BASE, (0.1 * n, -0.1 * n, 0.0, 0.0)) for n, name in enumerate(CHANNELS))
    visits = RHYTHM if rhythm else fit.parameters.visits
    parameters = replace(fit.parameters, visits=visits, by_channel=ByChannel(Family.of(visits), apart))
    if turns:
        parameters = replace(parameters, season=SEASON, tempo=PACES)
    model = Model(1, end, replace(fit, parameters=parameters))
    terms = Terms(model, end + timedelta(hours=6), 90, "USD", population.standing)
    stored = [one.pack() for one in base]
    whole, scoring = [], []
    for number in range(WARM_UP + ROUNDS):
        first = number * BATCH % (BASE - BATCH)
        rows = stored[first : first + BATCH]
        began = time.process_time()
        before = {customer(n): Purchases.unpack(row) for n, row in enumerate(rows)}
        order = Purchases.of([Order(end + timedelta(hours=number), Decimal("12.50"))])
        after = {who: known.plus(order) for who, known in before.items()}
        between = time.process_time()
        placed = [FirstOrder(n, f"order-{n}", CHANNELS[n % len(CHANNELS)]) for n in range(BATCH)]
        known = {who: Known(one, end, None, first) for (who, one), first in zip(before.items(), placed, strict=True)}
        firsts = {who: earliest(one.first, FirstOrder.of(end, "new", "till")) for who, one in known.items()}
        scored = scored_of(after, known, terms, firsts)
        scoring.append(time.process_time() - between)
        packed(changes((before[who], after[who]) for who in after))
        for one in scored:
            document_of(one)
        whole.append(time.process_time() - began)
    return EventCost(*(statistics.median(seconds[WARM_UP:]) / BATCH * 1e6 for seconds in (whole, scoring)))
