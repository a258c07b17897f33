"""A company in scoring's database as events would have left it: customers, what they did, counts, a model, drawn decisions.

Lives are simulated for some thousands of customers and written under many ids each: a look reads, groups and samples as
many documents as of a real base, and meets fewer different ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any, NamedTuple

import numpy as np
from pymongo import WriteConcern

from services.scoring.domain.behaviour import Behaviour, Doing
from services.scoring.domain.channels import FirstOrder
from services.scoring.domain.churn.rows import known, named, row_of
from services.scoring.domain.model import Held, Model, refit
from services.scoring.domain.population import Changes, Population, changes
from services.scoring.domain.profit import Book
from services.scoring.domain.purchases import EPOCH, PurchaseDay, Purchases
from services.scoring.domain.retention.assignment import Assignment
from services.scoring.domain.retention.catalogue import Action, Catalogue
from services.scoring.domain.retention.decision import AtStake, Terms as Deciding, decide
from services.scoring.domain.retention.evidence import Evidence
from services.scoring.domain.retention.persuasion import beliefs
from services.scoring.domain.score import Terms
from services.scoring.handlers import scored_of
from services.scoring.handlers.booking import movements
from services.scoring.main import Stores
from services.scoring.store.rows import document_of
from shared.mongo import Database
from tests.bench.scores.base import DAYS, FIRST_DAY
from tests.scoring.events import customer, placed

LIVES = 20_000
CHUNK = 2_000
"""Documents written at once."""
CHANNELS = ("till", "web-shop")
"""Alike, so that looks end without a new version: telling it to everybody is a cost of its own."""
HORIZON = 90
DRAWN = 0.1
"""Of all customers, those left alone for good or drawn for, as is set by default: what is done to them teaches."""
CALL = Catalogue((Action("call", contact_cost=2.0),))
VISIT_DAYS, COMPLAINT_DAYS = 30.0, 300.0
"""Between two of a customer, on average."""
NOW = EPOCH + timedelta(days=FIRST_DAY + DAYS)
UNSETTLED = WriteConcern(1)


class Life(NamedTuple):
    purchases: Purchases
    behaviour: bytes
    first: FirstOrder


def lives(number: int, seed: int) -> list[Life]:
    """As `base.simulated` has them, with visits and complaints for as long as they are there; complaints tell nothing."""
    random = np.random.default_rng(seed)
    return [_life(random) for _ in range(number)]


def _life(random: np.random.Generator) -> Life:
    rate, dropout, usual = random.gamma(0.8, 1 / 50.0), random.beta(0.9, 2.5), 6.0 / random.gamma(3.8, 1 / 15.0)
    began = at = float(random.integers(0, DAYS))
    bought = [int(at)]
    while random.random() > dropout and (at := at + max(random.exponential(1 / rate), 1.0)) < DAYS:
        bought.append(int(at))
    there = min(at, DAYS) - began + 30.0
    done = [
        (EPOCH + timedelta(days=FIRST_DAY + began + day), doing)
        for doing, days in ((Doing.VISIT, VISIT_DAYS), (Doing.COMPLAINT, COMPLAINT_DAYS))
        for day in random.uniform(0, there, random.poisson(there / days)).tolist()
    ]
    paid = [max(1, round(usual * random.gamma(6.0) / 6.0 * 100)) * 10_000 for _ in bought]
    records = tuple(
        PurchaseDay(FIRST_DAY + day, 1, money, 0, 0)
        for day, money in sorted(dict(zip(bought, paid, strict=True)).items())
    )
    purchases = Purchases(records)
    channel = CHANNELS[int(random.integers(len(CHANNELS)))]
    return Life(purchases, Behaviour.of(done).pack(), FirstOrder.of(purchases.first_at, "first", channel))


async def fill(database: Database, stores: Stores, customers: int, seed: int = 7) -> Model:
    """The company of so many customers, and the model that it is scored by."""
    some = lives(min(LIVES, customers), seed)
    moved = changes((Purchases(), one.purchases) for one in some)
    copies = -(-customers // len(some))
    population = _repeated(moved, copies, customers)
    fit = refit(population.histogram, NOW)
    if isinstance(fit, Held):
        raise SystemExit(f"the fit is held: {fit.doubts}")
    model = Model(1, NOW, fit)
    await database["population"].replace_one({"_id": "base"}, population.pack(), upsert=True)
    await stores.models.add(model)
    await stores.actions.set(CALL)
    await _write(database, "customers", _customers(some, model, population, customers))
    await _write(database, "deeds", _deeds(some, customers))
    await _write(database, "decisions", _decisions(some, model, int(customers * DRAWN), seed))
    return model


def _repeated(moved: Changes, copies: int, customers: int) -> Population:
    """The last copy may be of some only."""
    population = Population()
    for _ in range(copies - 1):
        population = population.plus([moved])
    rest = customers - (copies - 1) * len(moved.traits)
    return population.plus([Changes(moved.traits[:rest], moved.places[:rest], moved.earned[:rest])])


def _customers(some: Sequence[Life], model: Model, base: Population, customers: int) -> Iterator[dict[str, Any]]:
    purchases = {customer(number): one.purchases for number, one in enumerate(some)}
    first: dict[str, FirstOrder | None] = {customer(number): one.first for number, one in enumerate(some)}
    terms = Terms(model, NOW, HORIZON, "USD", base.standing)
    documents = [document_of(one) for one in scored_of(purchases, {}, terms, first)]
    for number in range(customers):
        yield {**documents[number % len(some)], "_id": customer(number)}


def _deeds(some: Sequence[Life], customers: int) -> Iterator[dict[str, Any]]:
    """With the book of the newest purchase: what profits look through is a month for most customers."""
    documents = []
    for one in some:
        order = placed(customer(0), one.purchases.last_at, one.purchases.money)
        months = {str(month): book.pack() for month, book in Book.of(movements(order)).by_month().items()}
        documents.append({"behaviour": one.behaviour, "months": months})
    for number in range(customers):
        yield {**documents[number % len(some)], "_id": customer(number)}


def _decisions(some: Sequence[Life], model: Model, decisions: int, seed: int) -> Iterator[dict[str, Any]]:
    """Made in the last year but a horizon, drawn for half the customers and left alone the others; noise is all they teach."""
    random = np.random.default_rng(seed)
    told = [_known(one, model) for one in some[: LIVES // 4]]
    terms = Deciding(
        CALL, {"call": beliefs(Evidence(), "call", CALL.prior)}, Assignment("bench", 0.5, 0.5), 1.0, "2025-06"
    )
    every = decide([AtStake(customer(number), "regular", 100.0) for number in range(decisions)], terms)
    for number, made in enumerate(every):
        at = NOW - timedelta(days=HORIZON + 1 + float(random.integers(0, 365)))
        id_ = f"{made.customer_id}:{at:%Y-%m}"
        yield {
            "_id": id_,
            "lesson": id_,
            "at": at,
            "occasion": f"{at:%Y-%m}",
            "words": [],
            "uplift_version": None,
            "decision": asdict(made),
            "drawn": {"features": told[number % len(told)], "control": 0.5, "exploration": 0.5},
            "stayed": bool(random.random() < 0.4),
        }


def _known(one: Life, model: Model) -> dict[str, float | None]:
    day = one.purchases.last_day + 1
    return named(known(row_of(one.purchases.pack(), one.behaviour, day), model.parameters, HORIZON))


async def _write(database: Database, name: str, documents: Iterator[dict[str, Any]]) -> None:
    collection: Any = database[name].with_options(write_concern=UNSETTLED)
    while chunk := [one for _, one in zip(range(CHUNK), documents, strict=False)]:
        await collection.insert_many(chunk, ordered=False)
        await asyncio.sleep(0)
