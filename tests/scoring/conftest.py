"""The service on real servers."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import aiohttp
import pytest

from services.scoring.main import create
from services.scoring.settings import ScoringSettings
from shared.security import key_sha256
from shared.settings import PlatformSettings
from tests.scoring.service import Scoring
from tests.waiting import eventually
from tests.web import serving

ADMIN = "rk_admin_" + "x" * 43


@pytest.fixture
async def scoring(settings: PlatformSettings, topics: dict[str, int]) -> AsyncIterator[Scoring]:
    async with AsyncExitStack() as stack:
        https = []
        for instance in ("one", "two"):
            given = settings.model_dump() | {
                "admin_key_sha256": key_sha256(ADMIN),
                "clock": "stream",
                "instance": instance,
                "batch_records": 200,
                "scoring_refit_seconds": 3_600,
            }
            https.append(await stack.enter_async_context(serving(create(ScoringSettings(**given)), ADMIN)))
        for http in https:
            await eventually(lambda http=http: ready(http), within=60)  # type: ignore[misc]
        yield Scoring(https, settings, topics)


async def ready(http: aiohttp.ClientSession) -> bool:
    async with http.get("/readyz") as answer:
        return answer.status == 200
