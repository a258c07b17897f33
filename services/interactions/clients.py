"""The systems that interactions calls: contacts for identities, Redis for the answers that instances share."""

import asyncio
import random
import time
from collections.abc import Collection, Mapping, Sequence
from hashlib import blake2b

import aiohttp
import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from services.interactions.domain import Identity
from services.interactions.domain.traces import Traces
from shared.contracts.fact import Identifier
from shared.messaging import Transient

log = structlog.get_logger(__name__)

CUSTOMERS_A_REQUEST = 1000
PATIENCE = (0.1, 0.3, 1.0, 2.0)
"""Seconds between tries (each with jitter). After the last, the batch waits and is tried again as a whole."""
TIMEOUT = aiohttp.ClientTimeout(total=10, connect=2)

AWAY = (RedisError, OSError, RuntimeError)
"""What a Redis that is away looks like; the last is uvloop's word for a connection that has just been reset."""


class ContactsAway(Transient):
    """Contacts gives no answer that can be used. That says nothing about the events: the batch waits."""


class IdentitiesRefused(Exception):
    """Contacts calls our question wrong; asking again does not help."""


class Contacts:
    """`POST /v1/identities/resolve` of contacts, in portions it takes, with patience for a restart."""

    def __init__(self, url: str, key: str, patience: Sequence[float] = PATIENCE) -> None:
        self._base = url.rstrip("/")
        self._url = f"{self._base}/v1/identities/resolve"
        self._headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        self._patience = patience
        self._http: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        self._http = aiohttp.ClientSession(timeout=TIMEOUT)

    async def close(self) -> None:
        if self._http:
            await self._http.close()

    async def resolve(self, customers: Sequence[Sequence[Identifier]]) -> list[str]:
        portions = range(0, len(customers), CUSTOMERS_A_REQUEST)
        return [
            customer_id
            for start in portions
            for customer_id in await self._resolve_portion(customers[start : start + CUSTOMERS_A_REQUEST])
        ]

    async def traces(self, erasure_id: str) -> Traces | None:
        """How an erased customer may be named; None if nobody knows any more."""
        assert self._http, "open it first"
        url = f"{self._base}/v1/erasures/{erasure_id}/traces"
        try:
            async with self._http.get(url, headers=self._headers) as response:
                answer = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ContactsAway(type(error).__name__) from error
        if response.status == 404:
            return None
        if response.status != 200:
            raise ContactsAway(f"contacts answered {response.status}")
        told = orjson.loads(answer)
        return Traces.of(told["identifiers"], told["texts"], ())

    async def _resolve_portion(self, customers: Sequence[Sequence[Identifier]]) -> list[str]:
        asked = [[{"scheme": each.scheme, "value": each.value} for each in one] for one in customers]
        body = orjson.dumps({"customers": asked})
        for pause in self._patience:
            try:
                return await self._ask(body, len(customers))
            except ContactsAway as away:
                log.warning("contacts_away", why=str(away), customers=len(customers))
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret
        return await self._ask(body, len(customers))

    async def _ask(self, body: bytes, customers: int) -> list[str]:
        assert self._http, "open it first"
        try:
            async with self._http.post(self._url, data=body, headers=self._headers) as response:
                answer = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ContactsAway(type(error).__name__) from error
        if response.status in {400, 413, 422}:
            raise IdentitiesRefused(f"contacts answered {response.status}")
        # Any other refusal, a key that is not valid yet included, says something about the moment, not the events.
        if response.status != 200:
            raise ContactsAway(f"contacts answered {response.status}")
        return _customer_ids(answer, customers)


def _customer_ids(answer: bytes, expected: int) -> list[str]:
    try:
        ids = orjson.loads(answer)["customers"]
    except (ValueError, KeyError, TypeError) as error:
        raise ContactsAway("the answer is not what contacts promises") from error
    if not isinstance(ids, list) or len(ids) != expected or not all(isinstance(each, str) for each in ids):
        raise ContactsAway("the answer does not fit the question")
    return ids


class IdentityCache:
    """Answers in Redis, under digests so that no e-mail address is a key. Redis away is slower, never wrong."""

    REST = 1.0
    """Seconds for which a Redis that failed is left alone."""

    def __init__(self, redis: Redis, prefix: str, seconds: int = 3600) -> None:
        self._redis = redis
        self._prefix = f"{prefix}identity:"
        self._seconds = seconds
        self._rests_until = 0.0

    async def get(self, identities: Sequence[Identity]) -> dict[Identity, str]:
        if time.monotonic() < self._rests_until:
            return {}
        try:
            answers = await self._redis.mget([self._name(identity) for identity in identities])
        except AWAY as error:
            return self._rest(error)
        return {i: _text(answer) for i, answer in zip(identities, answers, strict=True) if answer}

    async def put(self, customers: Mapping[Identity, str]) -> None:
        if time.monotonic() < self._rests_until:
            return
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for identity, customer_id in customers.items():
                    pipeline.set(self._name(identity), customer_id, ex=self._seconds)
                await pipeline.execute()
        except AWAY as error:
            self._rest(error)

    async def forget(self, customers: Collection[str]) -> None:
        """No answer names one of these any more. Looks through all answers; raises what Redis raises, so that it is asked again."""
        keys: list[bytes | str] = []
        async for key in self._redis.scan_iter(f"{self._prefix}*", count=CUSTOMERS_A_REQUEST):
            keys.append(key)
            if len(keys) == CUSTOMERS_A_REQUEST:
                await self._forget(keys, customers)
                keys = []
        if keys:
            await self._forget(keys, customers)

    async def _forget(self, keys: Sequence[bytes | str], customers: Collection[str]) -> None:
        answers = await self._redis.mget(keys)
        gone = [key for key, answer in zip(keys, answers, strict=True) if answer and _text(answer) in customers]
        if gone:
            await self._redis.delete(*gone)

    def _rest(self, error: Exception) -> dict[Identity, str]:
        log.warning("identity_cache_away", why=type(error).__name__)
        self._rests_until = time.monotonic() + self.REST
        return {}

    def _name(self, identity: Identity) -> str:
        # Lengths keep ("a", "b:c") and ("a:b", "c") apart.
        told = "".join(f"{len(identifier)}:{identifier}" for identifier in identity)
        return self._prefix + blake2b(told.encode(), digest_size=16).hexdigest()


def _text(answer: bytes | str) -> str:
    return answer if isinstance(answer, str) else answer.decode()
