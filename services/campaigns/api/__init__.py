"""HTTP in: segments and campaigns."""

from services.campaigns.api.campaigns import campaign_routes
from services.campaigns.api.errors import explain
from services.campaigns.api.segments import segment_routes

__all__ = ["campaign_routes", "explain", "segment_routes"]
