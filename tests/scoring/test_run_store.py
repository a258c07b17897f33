"""One look of a kind at a time, whichever instance is asked; one that dies is replaced once its lease has run out."""

from datetime import UTC, datetime

import pytest

from services.scoring.handlers import OwnRuns, Run
from services.scoring.store import MongoRuns
from shared.leases import UnderWay
from shared.mongo import Database
from tests.scoring.service import Scoring
from tests.scoring.test_looking import Work, looking, state
from tests.waiting import eventually

pytestmark = pytest.mark.integration


@pytest.fixture(params=["memory", "mongo"])
def runs(request: pytest.FixtureRequest, database: Database) -> OwnRuns | MongoRuns:
    return OwnRuns() if request.param == "memory" else MongoRuns(database)


async def test_a_second_one_is_refused_by_whichever_instance_until_the_first_has_ended(
    runs: OwnRuns | MongoRuns,
) -> None:
    work = Work()
    one, two = looking(work, runs), looking(work, runs, "two")
    assert await one.last("churn") is None
    begun = await one.begin("churn")
    assert (begun.state, begun.instance, begun.ended_at) == ("running", "one", None)
    for each in (one, two):
        with pytest.raises(UnderWay, match="The look `churn`"):
            await each.begin("churn")
        with pytest.raises(UnderWay):
            await each.look_if_due("churn")
        assert await state(each) == "running"
    work.let_go.set()

    async def ended() -> Run | None:
        last = await two.last("churn")
        return last if last and last.state == "done" else None

    run = await eventually(ended)
    assert run is not None
    assert run.ended_at is not None
    assert (run.id, run.error) == (begun.id, None)
    assert run.ended_at >= run.began_at
    await two.look_if_due("churn")
    assert work.times == 2


async def test_when_an_instance_dies_another_takes_over_once_its_lease_has_run_out(database: Database) -> None:
    runs, work = MongoRuns(database), Work()
    work.let_go.set()
    two = looking(work, runs, "two")
    died = Run("churn", "of-the-dead", "one", datetime.now(UTC))
    assert await runs.lease("churn").claim(died.id, 2.0)
    await runs.begin(died)
    assert await state(two) == "running"
    with pytest.raises(UnderWay):
        await two.look_if_due("churn")

    async def abandoned() -> bool:
        return await state(two) == "abandoned"

    await eventually(abandoned)
    await two.look_if_due("churn")
    assert (work.times, await state(two)) == (1, "done")
    # Of a run that was given up nothing is heard any more, even where it was not quite dead.
    await runs.end(died._replace(state="done", ended_at=datetime.now(UTC)))
    last = await two.last("churn")
    assert last is not None
    assert (last.instance, last.id == died.id) == ("two", False)


async def test_over_http_a_look_that_another_instance_is_at_is_refused_by_name(
    scoring: Scoring, database: Database
) -> None:
    await scoring.get("/v1/looks/profits", status=404)
    await scoring.get("/v1/looks/nothing", status=404)
    assert await MongoRuns(database).lease("profits").claim("of-the-dead", 3.0)
    refused = await scoring.refused("/v1/profits/base", status=409)
    assert refused["detail"] == "The look `profits` is under way, here or on another instance."

    async def taken_over() -> bool:
        async with scoring.https[1].post("/v1/profits/base") as answer:
            return answer.status == 202

    await eventually(taken_over)

    async def done() -> bool:
        return bool((await scoring.get("/v1/looks/profits"))["state"] == "done")

    await eventually(done)
    (run,) = (await scoring.get("/v1/looks"))["items"]
    assert (run["name"], run["instance"], run["findings"]) == ("profits", "two", "/v1/profits/base")
    assert (await scoring.get("/v1/profits/base"))["customers"] == 0
