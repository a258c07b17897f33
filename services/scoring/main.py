"""Composes scoring: `uvicorn --factory services.scoring.main:create`."""

from datetime import timedelta
from functools import partial

from fastapi import APIRouter, FastAPI

from services.scoring.api import (
    PROBLEMS,
    channel_routes,
    choice_routes,
    churn_routes,
    contract_routes,
    cost_routes,
    ending_routes,
    look_routes,
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
    Ending,
    LookAt,
    Looking,
    Merging,
    OwnRuns,
    Pacing,
    Persuading,
    Profits,
    Refitting,
    Retaining,
    Reviewing,
    Runs,
    Scores,
    Studying,
    UpliftVersion,
    Valuing,
    Wishing,
)
from services.scoring.handlers.restricting import Restricting
from services.scoring.jobs import FIRST_STUDY_SECONDS, jobs, looking, settling
from services.scoring.settings import ScoringSettings
from services.scoring.store import (
    JoinedDeeds,
    MongoActions,
    MongoChannelLooks,
    MongoChoices,
    MongoContests,
    MongoCosts,
    MongoCustomers,
    MongoDecisions,
    MongoDeeds,
    MongoModels,
    MongoNames,
    MongoPaceLooks,
    MongoPopulation,
    MongoRestrictions,
    MongoReviews,
    MongoRuns,
    MongoUpliftModels,
    churn_models,
    ending_models,
)
from services.scoring.store.erasing import steps
from services.scoring.store.held import held
from shared.audit import AuditLog, audit_routes
from shared.clock import Clock, clock
from shared.erasing import Erasing, Terms as ErasureTerms
from shared.held import held_routes
from shared.http import add_problems
from shared.links import LinkStore
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
        self.links = LinkStore(database)
        self.deeds = MongoDeeds(database)
        self.restrictions = MongoRestrictions(database)
        self.joined = JoinedDeeds(self.deeds, self.links, self.restrictions)
        self.names = MongoNames(database)
        self.costs = MongoCosts(database)
        self.actions = MongoActions(database)
        self.decisions = MongoDecisions(database)
        self.reviews = MongoReviews(database)
        self.choices = MongoChoices(database)
        self.contests = MongoContests(database)
        self.channel_looks = MongoChannelLooks(database)
        self.pace_looks = MongoPaceLooks(database)
        self.churn_models = churn_models(database)
        self.uplift_models = MongoUpliftModels(database)
        self.ending_models = ending_models(database)
        self.runs = MongoRuns(database)

    def prepare(self) -> list[Coroutine]:
        kept = (self.customers, self.links, self.population, self.deeds, self.names, self.reviews, self.decisions)
        return [*(store.prepare for store in kept), self.restrictions.prepare]


class Parts:
    """What the service does, put together: a line or two for each."""

    def __init__(self, settings: ScoringSettings, stores: Stores, messaging: Messaging, now: Clock) -> None:
        customers, models, deeds, names = stores.customers, stores.models, stores.joined, stores.names
        horizon, margin = settings.scoring_horizon_days, settings.scoring_margin
        self.scores = Scores(customers, stores.population, now, horizon, settings.currency)
        self.merging = Merging(self.scores, stores.links, stores.restrictions.among)
        self.refitting = Refitting(models, stores.population, self.scores, now, messaging, settings.instance)
        self.valuing = Valuing(self.scores, Terms(margin, settings.scoring_yearly_discount))
        self.wishing = Wishing(deeds, names, now, settings.scoring_time_zone)
        self.studying = Studying(self.wishing, deeds, names)
        self.deeds = Deeds(stores.deeds, self.wishing)
        self.profits = Profits(deeds, stores.costs, now, settings.currency)
        self.contracting = Contracting(deeds, now, margin, settings.scoring_yearly_discount)
        self.ending = Ending(deeds, stores.ending_models, now, horizon)
        self.churning = Churning(customers, deeds, models, stores.churn_models, self.scores, now)
        self.persuading = Persuading(stores.decisions, stores.uplift_models, stores.actions, now, horizon)
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
        self.pacing = Pacing(customers, stores.pace_looks, self.refitting, now)
        self.contesting = Contesting(self.choosing, stores.contests, now)
        self.looking = Looking(self._looks(stores.runs, OwnRuns()), settings.instance)

    def _looks(self, runs: Runs, own: Runs) -> list[LookAt]:
        """One instance at a time does what is kept for all, and each for itself what it keeps in memory."""
        unfitted, unchosen = "No model has been fitted yet.", "No family of models has been chosen yet."
        churning, contesting, channels, reviewing = self.churning, self.contesting, self.channels, self.reviewing
        return [
            LookAt("choice", self.choosing.choose, runs, self.choosing.due),
            LookAt("challengers", contesting.contest, runs, contesting.due, contesting.ready, unchosen),
            LookAt("channels", channels.look, runs, channels.due, channels.ready, unfitted),
            LookAt("pace", self.pacing.look, runs, self.pacing.due, self.pacing.ready, unfitted),
            LookAt("profits", self.profits.look, runs, self.profits.stale),
            LookAt("reviews", reviewing.review, runs, reviewing.due, reviewing.ready, unfitted),
            LookAt("churn", churning.look, runs, churning.stale, churning.ready, unfitted),
            LookAt("uplift", self._persuaded, runs, self.persuading.stale),
            LookAt("endings", self.ending.look, runs, self.ending.stale),
            LookAt("wishes", self.studying.study, own),
            LookAt("contracts", self.contracting.study, own),
        ]

    async def _persuaded(self) -> UpliftVersion:
        """Learnt from all outcomes that can be known by now."""
        await self.retaining.learn()
        return await self.persuading.look()


def create(settings: ScoringSettings | None = None) -> FastAPI:
    settings = settings or ScoringSettings()
    plumbing = Plumbing("scoring", settings)
    stores = Stores(plumbing.database)
    terms = ErasureTerms(timedelta(seconds=settings.erasure_settle_seconds))
    parts = Parts(settings, stores, plumbing.messaging, clock(settings, plumbing.database))
    table = steps(stores.customers, stores.population, parts.merging)
    erasing = Erasing("scoring", plumbing.database, plumbing.messaging, table, terms)
    parts.merging.erased = erasing.tombstones.among
    restricting = Restricting(stores.restrictions, stores.links, parts.merging, erasing)
    trail = AuditLog(plumbing.database)
    privacy = [held_routes(held(plumbing.database, stores.names), trail), audit_routes(trail)]
    listen(plumbing.messaging, parts.scores, parts.merging, parts.deeds, restricting)
    app = plumbing.app(
        title="Scoring",
        description="What customers are worth, and whether they are leaving: live, per customer, at any moment.",
        routers=[*privacy, *_routers(parts, stores, restricting, settings)],
        prepare=[
            *(*stores.prepare(), erasing.prepare, trail.prepare, parts.refitting.take_latest),
            partial(restricting.catch_up, plumbing.messaging),
        ],
        jobs=[*_jobs(parts, settings), erasing.carry_out],
        close=[parts.looking.stop],
    )
    add_problems(app, PROBLEMS)
    return app


def _routers(parts: Parts, stores: Stores, survivors: Restricting, settings: ScoringSettings) -> list[APIRouter]:
    """What is told of one customer goes by `survivors`, who answers for nobody restricted."""
    return [
        look_routes(parts.looking),
        score_routes(parts.scores, stores.customers, parts.valuing, survivors),
        wish_routes(parts.wishing, parts.studying, survivors),
        product_routes(stores.names),
        profit_routes(parts.profits, survivors),
        cost_routes(parts.profits),
        ending_routes(stores.ending_models),
        contract_routes(parts.contracting, parts.ending, survivors, settings.currency),
        uplift_routes(stores.uplift_models),
        retention_routes(parts.retaining, survivors),
        churn_routes(parts.churning, stores.churn_models, survivors),
        review_routes(stores.reviews),
        choice_routes(parts.choosing, parts.contesting),
        channel_routes(parts.channels),
        pace_routes(parts.pacing),
        model_routes(parts.refitting, stores.models),
    ]


def _jobs(parts: Parts, settings: ScoringSettings) -> list[Coroutine]:
    every, look = settings.scoring_study_seconds, parts.looking.look_if_due
    return [
        *jobs(parts.refitting, settings.scoring_refit_seconds),
        looking(look, ("wishes", "contracts"), every, first=min(FIRST_STUDY_SECONDS, every)),
        looking(look, ("profits", "choice", "channels", "pace", "reviews", "challengers"), every),
        # In jobs of their own: fitting takes minutes, for which nothing else should wait.
        looking(look, ("churn", "uplift", "endings"), every),
        settling(parts.retaining.learn, every),
    ]
