"""Composes scoring: `uvicorn --factory services.scoring.main:create`."""

from fastapi import APIRouter, FastAPI

from services.scoring.api import (
    PROBLEMS,
    channel_routes,
    choice_routes,
    churn_routes,
    contract_routes,
    model_routes,
    pace_routes,
    product_routes,
    profit_routes,
    retention_routes,
    review_routes,
    score_routes,
    uplift_routes,
    wish_routes,
)
from services.scoring.consumers import listen
from services.scoring.domain.lifetime_value import Terms
from services.scoring.domain.retention.assignment import Assignment
from services.scoring.handlers import (
    Channels,
    Choosing,
    Churning,
    Contesting,
    Contracting,
    Deeds,
    Pacing,
    Persuading,
    Profits,
    Refitting,
    Retaining,
    Reviewing,
    Scores,
    Studying,
    Valuing,
    Wishing,
)
from services.scoring.jobs import jobs, looking, studying
from services.scoring.settings import ScoringSettings
from services.scoring.store import (
    MongoActions,
    MongoChannelLooks,
    MongoChoices,
    MongoChurnModels,
    MongoContests,
    MongoCosts,
    MongoCustomers,
    MongoDecisions,
    MongoDeeds,
    MongoLease,
    MongoModels,
    MongoNames,
    MongoPaceLooks,
    MongoPopulation,
    MongoReviews,
    MongoUpliftModels,
)
from shared.clock import Clock, clock
from shared.http import add_problems
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
        self.choices = MongoChoices(database)
        self.contests = MongoContests(database)
        self.channel_looks = MongoChannelLooks(database)
        self.pace_looks = MongoPaceLooks(database)
        self.churn_models = MongoChurnModels(database)
        self.churn_lease = MongoLease(database, "churn-lease")
        self.uplift_models = MongoUpliftModels(database)
        self.uplift_lease = MongoLease(database, "uplift-lease")

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
        self.churning = Churning(
            *(customers, deeds, models, stores.churn_models, stores.churn_lease),
            *(self.scores, now, settings.instance),
        )
        self.persuading = Persuading(
            *(stores.decisions, stores.uplift_models, stores.uplift_lease, stores.actions),
            *(now, horizon, settings.instance),
        )
        self.retaining = Retaining(
            *(stores.actions, stores.decisions, customers, self.scores, self.valuing),
            *(self.churning, self.persuading),
            assignment=Assignment(SALT, settings.scoring_control_share, settings.scoring_exploration_share),
            clock=now,
            horizon_days=horizon,
        )
        self.reviewing = Reviewing(customers, models, stores.reviews, now, horizon)
        self.choosing = Choosing(customers, stores.choices, self.refitting, now)
        self.channels = Channels(customers, stores.channel_looks, self.refitting, now)
        self.pacing = Pacing(customers, stores.pace_looks, self.choosing, now)
        self.contesting = Contesting(self.choosing, stores.contests, now)


def create(settings: ScoringSettings | None = None) -> FastAPI:
    settings = settings or ScoringSettings()
    plumbing = Plumbing("scoring", settings)
    stores = Stores(plumbing.database)
    parts = Parts(settings, stores, plumbing.messaging, clock(settings, plumbing.database))
    listen(plumbing.messaging, parts.scores, parts.deeds)
    app = plumbing.app(
        title="Scoring",
        description="What customers are worth, and whether they are leaving: live, per customer, at any moment.",
        routers=_routers(parts, stores, settings),
        prepare=[*stores.prepare(), parts.refitting.take_latest],
        jobs=_jobs(parts, settings),
    )
    add_problems(app, PROBLEMS)
    return app


def _routers(parts: Parts, stores: Stores, settings: ScoringSettings) -> list[APIRouter]:
    return [
        score_routes(parts.scores, stores.customers, parts.valuing),
        wish_routes(parts.wishing, parts.studying),
        product_routes(stores.names),
        profit_routes(parts.profits),
        contract_routes(parts.contracting, settings.currency),
        uplift_routes(parts.persuading, stores.uplift_models),
        retention_routes(parts.retaining),
        churn_routes(parts.churning, stores.churn_models),
        review_routes(parts.reviewing, stores.reviews),
        choice_routes(parts.choosing, parts.contesting),
        channel_routes(parts.channels),
        pace_routes(parts.pacing),
        model_routes(parts.refitting, stores.models),
    ]


def _jobs(parts: Parts, settings: ScoringSettings) -> list[Coroutine]:
    studies = [parts.studying.study, parts.contracting.study, parts.retaining.learn]
    rounds = [
        (parts.profits.stale, parts.profits.look),
        (parts.choosing.due, parts.choosing.choose),
        (parts.channels.due, parts.channels.look),
        (parts.pacing.due, parts.pacing.look),
        (parts.reviewing.due, parts.reviewing.review),
        (parts.contesting.due, parts.contesting.contest),
    ]
    # In a job of their own: fitting takes minutes, for which nothing else should wait.
    fits = [(parts.churning.stale, parts.churning.look), (parts.persuading.stale, parts.persuading.look)]
    every = settings.scoring_study_seconds
    return [
        *jobs(parts.refitting, settings.scoring_refit_seconds),
        studying(studies, every),
        looking(rounds, every),
        looking(fits, every),
    ]
