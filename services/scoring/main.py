"""Composes scoring: `uvicorn --factory services.scoring.main:create`."""

from fastapi import FastAPI

from services.scoring.api import model_routes, score_routes
from services.scoring.consumers import listen
from services.scoring.domain.lifetime_value import Terms
from services.scoring.handlers import Refitting, Scores, Valuing
from services.scoring.jobs import jobs
from services.scoring.settings import ScoringSettings
from services.scoring.store import MongoCustomers, MongoModels, MongoPopulation
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
    listen(messaging, scores)
    return plumbing.app(
        title="Scoring",
        description="What customers are worth, and whether they are leaving: live, per customer, at any moment.",
        routers=[score_routes(scores, customers, valuing), model_routes(refitting, models)],
        prepare=[customers.prepare, population.prepare, refitting.take_latest],
        jobs=jobs(refitting, settings.scoring_refit_seconds),
    )
