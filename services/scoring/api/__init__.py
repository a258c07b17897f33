"""HTTP in: scores of customers and of the whole base, versions of the models, refits on demand."""

from services.scoring.api.models import model_routes
from services.scoring.api.scores import score_routes

__all__ = ["model_routes", "score_routes"]
