"""Whom an action persuades, on real servers: told through Kafka, decided over HTTP, learnt at night, used where it is proven."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from shared.contracts.fact import Fact
from shared.settings import PlatformSettings
from tests.scoring.events import customer, placed
from tests.scoring.orders import synthetic_base
from tests.scoring.service import Scoring, orders, records, two_instances
from tests.scoring.test_churn_service import complaint
from tests.scoring.test_wishing import contact
from tests.waiting import eventually

pytestmark = pytest.mark.integration
HORIZON, SIZE = 30, 1_000
BASE, END = synthetic_base(SIZE, 500, seed=29)
WAVES = ((range(SIZE // 2), END), (range(SIZE // 2, SIZE), END + timedelta(days=HORIZON + 2)))
"""Who is decided about, and when: the second wave is tried on what was learnt from the first."""
MARKS = 60
"""Customers whose contact comes last: many enough for each partition."""
CLOCK = 90_000
"""The customer who buys whenever time has passed."""
Chances = Mapping[tuple[bool, bool], float]
"""Of buying again, by (has complained, was called)."""
PERSUADABLE: Chances = {(True, True): 0.85, (True, False): 0.15, (False, True): 0.5, (False, False): 0.5}
NOISE: Chances = dict.fromkeys(PERSUADABLE, 0.5)


@pytest.fixture
async def scoring(settings: PlatformSettings, topics: dict[str, int]) -> AsyncIterator[Scoring]:
    """Half of the customers are left alone for good, and the others drawn for."""
    shares = {"scoring_control_share": 0.5, "scoring_exploration_share": 0.5}
    async with two_instances(settings, topics, scoring_horizon_days=HORIZON, **shares) as service:
        yield service


class Year:
    """What happens to one company, told to the service as it happens."""

    def __init__(self, scoring: Scoring, chances: Chances) -> None:
        self.scoring, self.chances = scoring, chances
        self.random = np.random.default_rng(4)
        self.purchases = self.published = 0
        self.marks = 20_000
        self.complainers: set[int] = set()

    async def tell(self, facts: Sequence[Fact], until: datetime) -> None:
        """In the order of their times, and wait until all is known, and it is `until`."""
        marks = range(self.marks, self.marks + MARKS)
        self.marks += MARKS
        last: list[Fact] = [contact(customer(number), until, "call-centre", "inbound") for number in marks]
        # The clock of a history that is played goes by sales.
        last.append(placed(customer(CLOCK), until, Decimal(10)))
        self.purchases += 1
        await self.scoring.publish(records([*facts, *last], self.published + 1))
        self.published += len(facts) + len(last)

        async def complete() -> bool:
            return bool((await self.scoring.get("/v1/scores/summary"))["purchases"] == self.purchases)

        async def heard() -> bool:
            for number in marks:
                async with self.scoring.https[0].get(f"/v1/wishes/{customer(number)}") as answer:
                    if answer.status != 200:
                        return False
            return True

        await eventually(complete, within=90)
        await eventually(heard, within=60)

    async def begin(self) -> None:
        self.purchases = len(facts := orders(BASE))
        await self.tell(facts, END)
        assert (await self.scoring.refit())["outcome"] == "fitted"

        async def known_to_both() -> bool:
            """Before that, what is known of a customer cannot be put down with a decision."""
            return (await self.scoring.get(f"/v1/churn/{customer(0)}", instance=1))["base_probability"] is not None

        await eventually(known_to_both)
        call = {"name": "call", "contact_cost": 0.01}
        async with self.scoring.https[0].put("/v1/actions", json={"actions": [call]}) as answer:
            assert answer.status == 200, await answer.text()

    async def live_through(self, wave: Sequence[int], at: datetime) -> None:
        """Some complain, a decision is made about each, and some of them buy again."""
        angry = {number for number in wave if self.random.random() < 0.5}
        self.complainers |= angry
        before = at - timedelta(days=1)
        await self.tell([complaint(number, before) for number in sorted(angry)], at)
        called = await self._decided(wave, at)
        stayed = [n for n in wave if self.random.random() < self.chances[n in angry, n in called]]
        self.purchases += len(stayed)
        bought = at + timedelta(days=5)
        await self.tell([placed(customer(number), bought, Decimal(20)) for number in stayed], bought)

    async def _decided(self, wave: Sequence[int], at: datetime) -> set[int]:
        few = asyncio.Semaphore(8)

        async def decide(number: int) -> str:
            async with few, self.scoring.https[number % 2].post(f"/v1/retention/{customer(number)}") as answer:
                assert answer.status == 200, await answer.text()
                made = await answer.json()
                assert datetime.fromisoformat(made["at"]) == at
                assert made["group"] in {"control", "exploration"}
                return str(made["action"])

        actions = await asyncio.gather(*map(decide, wave))
        return {number for number, action in zip(wave, actions, strict=True) if action == "call"}

    async def learnt(self) -> Any:
        """The model of calls, once all outcomes are known."""
        await self.begin()
        for wave, at in WAVES:
            await self.live_through(wave, at)
        await self.tell([], WAVES[-1][1] + timedelta(days=HORIZON + 2))
        (version,) = (await self.scoring.look("uplift"))["items"]
        assert (version["version"], version["lessons"], version["horizon_days"]) == (1, SIZE, HORIZON)
        (call,) = version["actions"]
        assert (call["action"], call["lessons"], call["doubt"]) == ("call", SIZE, None), (
            call["tried"],
            call["treated"],
        )
        return call


async def test_a_segment_that_calls_persuade_is_found_and_its_customers_own_shares_decide(scoring: Scoring) -> None:
    year = Year(scoring, PERSUADABLE)
    call = await year.learnt()
    assert call["in_use"]
    assert call["qini"]["low"] > 0
    assert call["over_segments"]["low"] > 0
    read = await scoring.get("/v1/retention/models/1", instance=1)
    assert (read["actions"], set(read["models"])) == ([call], {"call"})
    # Complaints of the second wave are still remembered as recent.
    wave = WAVES[-1][0]
    shares: dict[bool, list[float]] = {True: [], False: []}
    for number in wave[:60]:
        found = await scoring.get(f"/v1/retention/{customer(number)}", instance=number % 2)
        (option,) = found["options"]
        assert (option["source"], found["uplift_version"]) == ("model", 1)
        shares[number in year.complainers].append(option["p_persuade"])
    assert min(shares[True]) > 0.3 > max(shares[False])


async def test_where_outcomes_are_noise_no_ranking_is_promoted_and_segments_decide(scoring: Scoring) -> None:
    call = await Year(scoring, NOISE).learnt()
    assert not call["in_use"]
    assert (await scoring.get("/v1/retention/models/1", instance=1))["models"] == {}
    for number in WAVES[-1][0][:20]:
        found = await scoring.get(f"/v1/retention/{customer(number)}")
        (option,) = found["options"]
        assert (option["source"] == "model", found["uplift_version"]) == (False, None)
