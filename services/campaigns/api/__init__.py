"""HTTP in: segments and campaigns."""

from services.campaigns.api.campaigns import campaign_routes
from services.campaigns.api.discretion import Discretion
from services.campaigns.api.problems import PROBLEMS
from services.campaigns.api.segments import segment_routes

__all__ = ["PROBLEMS", "Discretion", "campaign_routes", "segment_routes"]
