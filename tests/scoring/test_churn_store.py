"""One suite for models of churn and of uplift in memory and in MongoDB."""

from datetime import UTC, datetime

import numpy as np
import pytest

from services.scoring.domain.fitting import Doubt
from services.scoring.domain.promotion import Window, compare
from services.scoring.domain.uplift.effects import Interval
from services.scoring.handlers import ActionLearnt, ChurnVersion, UpliftVersion
from services.scoring.store import MongoUpliftModels, churn_models
from services.scoring.store.versions import FittedModels
from shared.leases import MongoLease
from shared.mongo import Database
from tests.scoring.memory import MemoryChurnModels, MemoryUpliftModels

pytestmark = pytest.mark.integration
AT = datetime(2026, 6, 1, tzinfo=UTC)


def window() -> Window:
    random = np.random.default_rng(1)
    happened = (random.random(500) < 0.4).astype(float)
    return compare(np.full(500, 0.4), 0.3 + 0.3 * happened, happened, np.arange(500) % 13, seed=1)


def version(number: int, doubt: Doubt | None = None) -> ChurnVersion:
    windows = () if doubt else (window(), window())
    return ChurnVersion(number, AT, 90, 0.5, 1_000, 400, 3, 2, False, doubt, windows, not doubt)


@pytest.fixture(params=["memory", "mongo"])
def models(request: pytest.FixtureRequest, database: Database) -> MemoryChurnModels | FittedModels[ChurnVersion]:
    return MemoryChurnModels() if request.param == "memory" else churn_models(database)


async def test_versions_come_back_with_their_evidence_and_their_text(
    models: MemoryChurnModels | FittedModels[ChurnVersion],
) -> None:
    assert await models.latest() is None
    assert await models.page(None, 5) == []
    assert await models.add(version(1, Doubt.TOO_FEW), None)
    assert await models.add(version(2), "trees " * 10_000)
    assert not await models.add(version(2, Doubt.NO_SIGNAL), None)
    assert await models.version(1) == version(1, Doubt.TOO_FEW)
    found = await models.latest()
    assert found is not None
    assert found._replace(windows=()) == version(2)._replace(windows=())
    assert [one.gain for one in found.windows] == [window().gain] * 2
    assert (found.windows[0].challenger.sums == window().challenger.sums).all()
    assert [await models.text(number) for number in (1, 2, 3)] == [None, "trees " * 10_000, None]
    assert [one.version for one in await models.page(None, 1)] == [2]
    assert [one.version for one in await models.page(2, 5)] == [1]
    assert await models.version(3) is None


@pytest.fixture(params=["memory", "mongo"])
def uplift(request: pytest.FixtureRequest, database: Database) -> MemoryUpliftModels | MongoUpliftModels:
    return MemoryUpliftModels() if request.param == "memory" else MongoUpliftModels(database)


async def test_models_of_uplift_come_back_by_action(uplift: MemoryUpliftModels | MongoUpliftModels) -> None:
    interval = Interval(0.1, 0.05, 0.15)
    used = ActionLearnt("call v1.2", 900, 300, 400, None, "T linear", interval, interval, interval, True)
    too_few = ActionLearnt("gift", 9, 3, 0, Doubt.TOO_FEW, None, None, None, None, False)
    first, second = (UpliftVersion(number, AT, 90, 900, (used, too_few)) for number in (1, 2))
    assert await uplift.latest() is None
    assert await uplift.add(first, {"call v1.2": "model " * 1_000})
    assert await uplift.add(second, {})
    assert not await uplift.add(second, {})
    assert await uplift.latest() == second
    assert await uplift.version(1) == first
    assert await uplift.version(3) is None
    assert await uplift.page(None, 5) == [second, first]
    assert await uplift.page(2, 5) == [first]
    assert [await uplift.texts(number) for number in (1, 2, 3)] == [{"call v1.2": "model " * 1_000}, {}, {}]


async def test_a_lease_has_one_holder_and_leases_do_not_know_each_other(database: Database) -> None:
    one, other = MongoLease(database, "one"), MongoLease(database, "other")
    assert await one.claim("a", 60)
    assert await one.claim("a", 60)
    assert not await one.claim("b", 60)
    assert await other.claim("b", 60)
    await one.release("b")
    assert not await one.claim("b", 60)
    await one.release("a")
    assert await one.claim("b", 60)
