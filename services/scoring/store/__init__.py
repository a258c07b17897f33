"""MongoDB: customers with their purchases and told scores, the base's histogram, the models' versions,
what customers do and what its numbers stand for, and what things cost.
"""

from services.scoring.store.channels import MongoChannelLooks
from services.scoring.store.choices import MongoChoices
from services.scoring.store.contests import MongoContests
from services.scoring.store.costs import MongoCosts
from services.scoring.store.customers import MongoCustomers
from services.scoring.store.decisions import MongoActions, MongoDecisions
from services.scoring.store.deeds import MongoDeeds
from services.scoring.store.joined import JoinedDeeds
from services.scoring.store.models import MongoModels
from services.scoring.store.names import MongoNames
from services.scoring.store.paces import MongoPaceLooks
from services.scoring.store.population import MongoPopulation
from services.scoring.store.restrictions import MongoRestrictions
from services.scoring.store.reviews import MongoReviews
from services.scoring.store.runs import MongoRuns
from services.scoring.store.versions import MongoUpliftModels, churn_models, ending_models

__all__ = [
    "JoinedDeeds",
    "MongoActions",
    "MongoChannelLooks",
    "MongoChoices",
    "MongoContests",
    "MongoCosts",
    "MongoCustomers",
    "MongoDecisions",
    "MongoDeeds",
    "MongoModels",
    "MongoNames",
    "MongoPaceLooks",
    "MongoPopulation",
    "MongoRestrictions",
    "MongoReviews",
    "MongoRuns",
    "MongoUpliftModels",
    "churn_models",
    "ending_models",
]
