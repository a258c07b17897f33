"""Composes scoring: `uvicorn --factory services.scoring.main:create`."""

from fastapi import FastAPI

from services.scoring.api import (
    contract_routes,
    model_routes,
    product_routes,
    profit_routes,
    review_routes,
    score_routes,
    wish_routes,
)
from services.scoring.consumers import listen
from services.scoring.domain.lifetime_value import Terms
from services.scoring.handlers import (
    Contracting,
    Deeds,
    Profits,
    Refitting,
    Reviewing,
    Scores,
    Studying,
    Valuing,
    Wishing,
)
from services.scoring.jobs import jobs, looks
from services.scoring.settings import ScoringSettings
from services.scoring.store import (
    MongoCosts,
    MongoCustomers,
    MongoDeeds,
    MongoModels,
    MongoNames,
    MongoPopulation,
    MongoReviews,
)
from shared.clock import clock
from shared.plumbing import Plumbing


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
    reviews = MongoReviews(database)
    reviewing = Reviewing(customers, models, reviews, now, settings.scoring_horizon_days)
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
            review_routes(reviewing, reviews),
            model_routes(refitting, models),
        ],
        prepare=[
            customers.prepare,
            population.prepare,
            deeds.prepare,
            names.prepare,
            reviews.prepare,
            refitting.take_latest,
        ],
        jobs=[
            *jobs(refitting, settings.scoring_refit_seconds),
            *looks(studying, contracting, profits, reviewing, settings.scoring_study_seconds),
        ],
    )
