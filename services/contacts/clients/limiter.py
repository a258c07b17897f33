"""Redis, which counts how often an address sends a form."""

import hashlib
import time

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)
REDIS_PATIENCE = 0.5
"""Seconds. Whoever fills a form does not wait longer for a guard."""
WINDOW = 60


class RedisLimiter:
    """So many a minute of each form and address, over all instances."""

    def __init__(self, url: str, namespace: str) -> None:
        self._redis = Redis.from_url(url, socket_timeout=REDIS_PATIENCE, socket_connect_timeout=REDIS_PATIENCE)
        self._namespace = namespace

    async def allows(self, form: str, address: str, per_minute: int) -> bool:
        """True as well when Redis is away: a lead is worth more than the guard."""
        # Hashed: an address on the internet is personal, and nobody needs to read it here.
        who = hashlib.sha256(address.encode()).hexdigest()[:32]
        key = f"{self._namespace}contacts:form:{form}:{who}:{int(time.time()) // WINDOW}"
        try:
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.incr(key)
                pipe.expire(key, 2 * WINDOW)
                count, _ = await pipe.execute()
        except RedisError as error:
            log.warning("form_limit_unknown", form=form, error=type(error).__name__)
            return True
        return int(count) <= per_minute

    async def close(self) -> None:
        await self._redis.aclose()
