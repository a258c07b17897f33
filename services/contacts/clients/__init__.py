"""Other systems that contacts asks."""

from services.contacts.clients.clamd import Clamd
from services.contacts.clients.holders import Holder
from services.contacts.clients.limiter import RedisLimiter

__all__ = ["Clamd", "Holder", "RedisLimiter"]
