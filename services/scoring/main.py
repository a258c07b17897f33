"""Composes scoring: `uvicorn --factory services.scoring.main:create`."""

from fastapi import FastAPI

from services.scoring.api import (
    channel_routes,
    choice_routes,
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
    Channels,
    Choosing,
    Contesting,
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
    MongoChannelLooks,
    MongoChoices,
    MongoContests,
    MongoCosts,
    MongoCustomers,
    MongoDecisions,
    MongoDeeds,
    MongoModels,
    MongoNames,
    MongoPopulation,
    MongoReviews,
)
from shared.clock import clock
from shared.plumbing import Plumbing

SALT = "rapport"
"""By which customers are drawn into control and exploration: for ever, so it is no setting."""


def create(settings: ScoringSettings | None = None) -> FastAPI:
    settings = settings or ScoringSettings()
    plumbing = Plumbing("scoring", settings)
    database, messaging, now = plumbing.database, plumbing.messaging, clock(settings, plumbing.database)
    customers, population, models = MongoCustomers(database), MongoPopulation(database), MongoModels(database)
    scores = Scores(customers, population, now, settings.scoring_horizon_days, settings.currency)
    refitting = Refitting(models, population, scores, now, messaging, settings.instance)
    valuing = Valuing(scores, Terms(settings.scoring_margin, settings.scoring_yearly_discount))
    deeds, names = MongoDeeds(database), MongoNames(database)
    wishing = Wishing(deeds, names, now, settings.scoring_time_zone)
    studying = Studying(wishing, deeds, names)
    profits = Profits(deeds, MongoCosts(database), now, settings.currency)
    contracting = Contracting(deeds, now, settings.scoring_margin, settings.scoring_yearly_discount)
    decisions = MongoDecisions(database)
    retaining = Retaining(
        *(MongoActions(database), decisions, customers, scores, valuing),
        assignment=Assignment(SALT, settings.scoring_control_share, settings.scoring_exploration_share),
        clock=now,
        horizon_days=settings.scoring_horizon_days,
    )
    reviews = MongoReviews(database)
    reviewing = Reviewing(customers, models, reviews, now, settings.scoring_horizon_days)
    choosing = Choosing(customers, MongoChoices(database), refitting, now)
    contesting = Contesting(choosing, MongoContests(database), now)
    channels = Channels(customers, MongoChannelLooks(database), refitting, now)
    rounds = [
        (profits.stale, profits.look),
        (choosing.due, choosing.choose),
        (channels.due, channels.look),
        (reviewing.due, reviewing.review),
        (contesting.due, contesting.contest),
    ]
    listen(messaging, scores, Deeds(deeds, wishing))
    return plumbing.app(
        title="Scoring",
        description="What customers are worth, and whether they are leaving: live, per customer, at any moment.",
        routers=[
            score_routes(scores, customers, valuing),
            wish_routes(wishing, studying),
            product_routes(names),
            profit_routes(profits),
            contract_routes(contracting, settings.currency),
            retention_routes(retaining),
            review_routes(reviewing, reviews),
            choice_routes(choosing, contesting),
            channel_routes(channels),
            model_routes(refitting, models),
        ],
        prepare=[
            customers.prepare,
            population.prepare,
            deeds.prepare,
            names.prepare,
            reviews.prepare,
            decisions.prepare,
            refitting.take_latest,
        ],
        jobs=[
            *jobs(refitting, settings.scoring_refit_seconds),
            *looks([studying.study, contracting.study, retaining.learn], rounds, settings.scoring_study_seconds),
        ],
    )
