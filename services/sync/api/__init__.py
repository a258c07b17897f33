"""HTTP of sync: customers, channels and what they were sent, streams, API keys."""

from services.sync.api.channels import Routes as ChannelRoutes, router as channels
from services.sync.api.customers import router as customers
from services.sync.api.erasures import router as erasures
from services.sync.api.keys import router as keys
from services.sync.api.problems import PROBLEMS
from services.sync.api.streams import router as streams

__all__ = ["PROBLEMS", "ChannelRoutes", "channels", "customers", "erasures", "keys", "streams"]
