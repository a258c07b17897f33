"""Composes scoring: `uvicorn --factory services.scoring.main:create`."""

from fastapi import APIRouter, FastAPI

from services.scoring.api import (
    contract_routes,
    model_routes,
    product_routes,
    profit_routes,
    retention_routes,
    review_routes,
    score_routes,
    wish_routes,
)
from services.scoring.consumers import listen
from services.scoring.domain.lifetime_value import Terms
from services.scoring.domain.retention.assignment import Assignment
from services.scoring.handlers import (
    Contracting,
    Deeds,
    Profits,
    Refitting,
    Retaining,
    Reviewing,
    Scores,
    Studying,
    Valuing,
    Wishing,
)
from services.scoring.jobs import jobs, looks
from services.scoring.settings import ScoringSettings
from services.scoring.store import (
    MongoActions,
    MongoCosts,
    MongoCustomers,
    MongoDecisions,
    MongoDeeds,
    MongoModels,
    MongoNames,
    MongoPopulation,
    MongoReviews,
)
from shared.clock import Clock, clock
from shared.messaging import Messaging
from shared.mongo import Database
from shared.plumbing import Coroutine, Plumbing

SALT = "rapport"
"""By which customers are drawn into control and exploration: for ever, so it is no setting."""


class Stores:
    """Where the service keeps what it knows."""

    def __init__(self, database: Database) -> None:
        self.customers = MongoCustomers(database)
        self.population = MongoPopulation(database)
        self.models = MongoModels(database)
        self.deeds = MongoDeeds(database)
        self.names = MongoNames(database)
        self.costs = MongoCosts(database)
        self.actions = MongoActions(database)
        self.decisions = MongoDecisions(database)
        self.reviews = MongoReviews(database)

    def prepare(self) -> list[Coroutine]:
        kept = (self.customers, self.population, self.deeds, self.names, self.reviews, self.decisions)
        return [store.prepare for store in kept]


class Parts:
    """What the service does, put together: a line or two for each."""

    def __init__(self, settings: ScoringSettings, stores: Stores, messaging: Messaging, now: Clock) -> None:
        customers, models, deeds, names = stores.customers, stores.models, stores.deeds, stores.names
        horizon, margin = settings.scoring_horizon_days, settings.scoring_margin
        self.scores = Scores(customers, stores.population, now, horizon, settings.currency)
        self.refitting = Refitting(models, stores.population, self.scores, now, messaging, settings.instance)
        self.valuing = Valuing(self.scores, Terms(margin, settings.scoring_yearly_discount))
        self.wishing = Wishing(deeds, names, now, settings.scoring_time_zone)
        self.studying = Studying(self.wishing, deeds, names)
        self.deeds = Deeds(deeds, self.wishing)
        self.profits = Profits(deeds, stores.costs, now, settings.currency)
        self.contracting = Contracting(deeds, now, margin, settings.scoring_yearly_discount)
        self.retaining = Retaining(
            *(stores.actions, stores.decisions, customers, self.scores, self.valuing),
            assignment=Assignment(SALT, settings.scoring_control_share, settings.scoring_exploration_share),
            clock=now,
            horizon_days=horizon,
        )
        self.reviewing = Reviewing(customers, models, stores.reviews, now, horizon)


def create(settings: ScoringSettings | None = None) -> FastAPI:
    settings = settings or ScoringSettings()
    plumbing = Plumbing("scoring", settings)
    stores = Stores(plumbing.database)
    parts = Parts(settings, stores, plumbing.messaging, clock(settings, plumbing.database))
    listen(plumbing.messaging, parts.scores, parts.deeds)
    return plumbing.app(
        title="Scoring",
        description="What customers are worth, and whether they are leaving: live, per customer, at any moment.",
        routers=_routers(parts, stores, settings),
        prepare=[*stores.prepare(), parts.refitting.take_latest],
        jobs=_jobs(parts, settings),
    )


def _routers(parts: Parts, stores: Stores, settings: ScoringSettings) -> list[APIRouter]:
    return [
        score_routes(parts.scores, stores.customers, parts.valuing),
        wish_routes(parts.wishing, parts.studying),
        product_routes(stores.names),
        profit_routes(parts.profits),
        contract_routes(parts.contracting, settings.currency),
        retention_routes(parts.retaining),
        review_routes(parts.reviewing, stores.reviews),
        model_routes(parts.refitting, stores.models),
    ]


def _jobs(parts: Parts, settings: ScoringSettings) -> list[Coroutine]:
    studies = [parts.studying.study, parts.contracting.study, parts.retaining.learn]
    return [
        *jobs(parts.refitting, settings.scoring_refit_seconds),
        *looks(studies, parts.profits, parts.reviewing, settings.scoring_study_seconds),
    ]
