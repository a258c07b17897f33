"""Looks are begun, end, and leave word of it; a holder that lives keeps its lease, and one without it stops."""

import asyncio
from dataclasses import dataclass, field

import pytest

from services.scoring.handlers import LookAt, Looking, OwnRuns
from services.scoring.handlers.looking import NotReady
from services.scoring.store import MongoRuns
from shared.leases import LeaseLost, OwnLease, leased
from tests.waiting import eventually

SHORT = 0.15
"""Seconds of a lease that is to run out while a test waits."""


@dataclass
class Work:
    """A look that goes on until it is let go, and what becomes of it."""

    finds: object = "something"
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    times: int = 0
    is_due: bool = True
    is_ready: bool = True

    async def look(self) -> object:
        self.times += 1
        await self.let_go.wait()
        if isinstance(self.finds, Exception):
            raise self.finds
        return self.finds

    async def due(self) -> bool:
        return self.is_due

    async def ready(self) -> bool:
        return self.is_ready


def looking(work: Work, runs: OwnRuns | MongoRuns, instance: str = "one", seconds: float = 60.0) -> Looking:
    look = LookAt("churn", work.look, runs, work.due, work.ready, "No model has been fitted yet.")
    return Looking([look], instance, seconds)


async def state(of: Looking) -> str:
    run = await of.last("churn")
    return run.state if run else "never"


@pytest.mark.parametrize(("finds", "left"), [(None, "nothing"), (ValueError("a customer's words"), "failed")])
async def test_what_became_of_a_look_is_kept_without_the_words_of_an_error(finds: object, left: str) -> None:
    work = Work(finds)
    work.let_go.set()
    one = looking(work, OwnRuns())
    await one.begin("churn")

    async def ended() -> bool:
        return await state(one) == left

    await eventually(ended)
    run = await one.last("churn")
    assert run is not None
    assert run.error == ("ValueError" if left == "failed" else None)
    if left == "failed":
        with pytest.raises(ValueError, match="words"):
            await one.look_if_due("churn")


async def test_what_is_not_due_or_not_ready_is_not_begun() -> None:
    work = Work(is_due=False, is_ready=False)
    one = looking(work, OwnRuns())
    await one.look_if_due("churn")
    with pytest.raises(NotReady, match="No model"):
        await one.begin("churn")
    assert (work.times, await one.last("churn")) == (0, None)


async def test_an_instance_that_finds_the_look_done_once_it_has_the_lease_leaves_it() -> None:
    work, runs = Work(), OwnRuns()
    asked = iter([True, False])

    async def due() -> bool:
        return next(asked)

    await Looking([LookAt("churn", work.look, runs, due)], "one").look_if_due("churn")
    assert (work.times, await runs.lease("churn").holder()) == (0, None)


async def test_a_service_that_stops_leaves_no_lease_behind() -> None:
    runs = OwnRuns()
    one = looking(Work(), runs)
    await one.begin("churn")
    await one.stop()
    assert (await state(one), await runs.lease("churn").holder()) == ("stopped", None)


@dataclass
class Counted(OwnLease):
    claims: int = 0

    async def claim(self, holder: str, seconds: float) -> bool:
        self.claims += 1
        return await super().claim(holder, seconds)


async def test_a_lease_is_renewed_for_as_long_as_the_work_takes() -> None:
    lease = Counted()
    async with leased(lease, "one", "The look", SHORT):
        # More renewals than one lease has room for.
        await eventually(lambda: lease.claims > 6)
    assert lease.held_by is None


async def test_work_whose_lease_another_has_is_cancelled() -> None:
    lease = Counted()

    async def work() -> None:
        async with leased(lease, "one", "The look", SHORT):
            lease.held_by = "two"
            await asyncio.Event().wait()

    with pytest.raises(LeaseLost):
        await work()
    assert lease.held_by == "two"


async def test_the_time_limits_of_the_work_are_its_own() -> None:
    async def work() -> None:
        async with leased(OwnLease(), "one", "The look"):
            raise TimeoutError

    with pytest.raises(TimeoutError):
        await work()
