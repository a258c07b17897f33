"""HTTP in: scores of customers and of the whole base, versions of the models, refits on demand, the choice of the family of
models and its challengers, channels told apart, customers' own pace, wishes, products, profit and costs, reviews, churn.
"""

from services.scoring.api.channels import channel_routes
from services.scoring.api.choices import choice_routes
from services.scoring.api.churn import churn_routes
from services.scoring.api.contracts import contract_routes
from services.scoring.api.costs import cost_routes
from services.scoring.api.endings import ending_routes
from services.scoring.api.looks import look_routes
from services.scoring.api.models import model_routes
from services.scoring.api.paces import pace_routes
from services.scoring.api.problems import PROBLEMS
from services.scoring.api.profits import profit_routes
from services.scoring.api.retention import retention_routes
from services.scoring.api.reviews import review_routes
from services.scoring.api.scores import score_routes
from services.scoring.api.uplift import uplift_routes
from services.scoring.api.wishes import product_routes, wish_routes

__all__ = [
    "PROBLEMS",
    "channel_routes",
    "choice_routes",
    "churn_routes",
    "contract_routes",
    "cost_routes",
    "ending_routes",
    "look_routes",
    "model_routes",
    "pace_routes",
    "product_routes",
    "profit_routes",
    "retention_routes",
    "review_routes",
    "score_routes",
    "uplift_routes",
    "wish_routes",
]
