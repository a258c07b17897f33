"""The service on real servers."""

from collections.abc import AsyncIterator

import pytest

from shared.settings import PlatformSettings
from tests.scoring.service import Scoring, two_instances


@pytest.fixture
async def scoring(settings: PlatformSettings, topics: dict[str, int]) -> AsyncIterator[Scoring]:
    async with two_instances(settings, topics, batch_records=200) as service:
        yield service
