"""The HTTP side, over stores in memory: shapes, pages, problems, scopes."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from services.scoring.api import PROBLEMS, model_routes, score_routes
from services.scoring.domain.lifetime_value import Terms
from services.scoring.domain.population import changes
from services.scoring.domain.purchases import Purchases
from services.scoring.handlers import Refitting, Valuing
from services.scoring.handlers.restricting import Restricting
from shared.contracts.scoring import Score
from shared.contracts.sync import KeyIssued
from shared.http import create_app
from shared.security import KeyTable, new_key
from tests.links import MemoryLinks
from tests.scoring.events import customer
from tests.scoring.memory import MemoryModels, MemoryRestrictions, MemoryTransactions
from tests.scoring.orders import synthetic_base
from tests.scoring.test_scores import World, fill
from tests.web import serving

BASE, END = synthetic_base(120, 900, seed=21)
NOTHING: Any = None


class Well:
    async def live(self) -> tuple[bool, dict[str, Any]]:
        return True, {}

    ready = live


class Service:
    def __init__(self) -> None:
        self.world, self.models, self.keys = World(), MemoryModels(), KeyTable()
        self.world.clock.at, self.world.scores.model = END, None
        world = self.world
        self.refitting = Refitting(
            self.models, world.population, world.scores, world.clock, MemoryTransactions(), "instance"
        )
        self.valuing = Valuing(world.scores, Terms(0.25, 0.1))
        self.restrictions = MemoryRestrictions()
        self.restricting = Restricting(self.restrictions, MemoryLinks(), NOTHING, NOTHING)

    def key(self, *scopes: str) -> str:
        key_id, key, sha256 = new_key()
        issued = KeyIssued(
            key_id=key_id,
            name="test",
            kind="person",
            scopes=list(scopes),
            secret_sha256=sha256,
            issued_at=datetime.now(UTC),
        )
        self.keys.apply(issued)
        return key


@pytest.fixture
async def service() -> Service:
    made = Service()
    await fill(made.world, BASE)
    made.world.population.changes = [changes((Purchases(), purchases) for purchases in BASE)]
    return made


@pytest.fixture
async def client(service: Service) -> AsyncIterator[aiohttp.ClientSession]:
    app = create_app(
        title="Scoring",
        description="",
        version="0",
        lifespan=None,
        routers=[
            score_routes(service.world.scores, service.world.customers, service.valuing, service.restricting),
            model_routes(service.refitting, service.models),
        ],
        keys=service.keys,
        health=Well(),
        problems=PROBLEMS,
    )
    async with serving(app, service.key("scores:read", "scoring:write")) as made:
        yield made


async def get(client: aiohttp.ClientSession, path: str, status: int = 200) -> Any:
    async with client.get(path) as response:
        assert response.status == status, await response.text()
        return await response.json(content_type=None)


async def refit(client: aiohttp.ClientSession, status: int = 200) -> Any:
    async with client.post("/v1/models/refit") as response:
        assert response.status == status, await response.text()
        return await response.json(content_type=None)


async def test_of_whoever_is_restricted_nothing_is_answered(service: Service, client: aiohttp.ClientSession) -> None:
    """Their score was withdrawn, so that they look as if they had bought nothing."""
    restricted = customer(7_777)
    for rest in ("", "?as_of=2020-01-01T00:00:00Z", "/reasons", "/lifetime-value"):
        await get(client, f"/v1/scores/{restricted}{rest}", 404)
        await service.restrictions.put({restricted: True}, NOTHING)
        await get(client, f"/v1/scores/{restricted}{rest}", 409)
        await service.restrictions.put({restricted: False}, NOTHING)


async def test_a_refit_is_asked_for_and_its_version_read(client: aiohttp.ClientSession) -> None:
    assert await get(client, "/v1/models") == {"items": [], "next": None}
    await get(client, "/v1/models/refit", 404)
    report = await refit(client)
    assert (report["outcome"], report["version"], report["customers"], report["told"]) == ("fitted", 1, 120, 120)
    assert await get(client, "/v1/models/refit") == report
    model = await get(client, "/v1/models/1")
    assert (await get(client, "/v1/models"))["items"] == [model]
    assert model["mbg_nbd"]["alpha"] > 0
    assert model["gamma_gamma"]["log_likelihood"] < 0
    assert (model["name"], model["customers"]) == ("mbg-nbd+gamma-gamma", 120)
    await get(client, "/v1/models/2", 404)
    await get(client, "/v1/models/0", 422)


async def test_a_refit_under_way_is_a_conflict(client: aiohttp.ClientSession, service: Service) -> None:
    await service.models.claim("another", 60)
    assert (await refit(client, 409))["detail"] == "The refit is under way, here or on another instance."


async def test_a_score_is_read_now_and_in_the_past(client: aiohttp.ClientSession) -> None:
    await refit(client)
    number = max(range(120), key=lambda n: len(BASE[n].days))
    score = Score.model_validate(await get(client, f"/v1/scores/{customer(number)}"))
    assert score.money == BASE[number].money
    assert score.p_alive is not None
    first = BASE[number].first_at.date().isoformat()
    then = Score.model_validate(await get(client, f"/v1/scores/{customer(number)}?as_of={first}T23:00:00Z"))
    assert (then.purchases, then.frequency, then.segment) == (1, 0, "new")
    await get(client, f"/v1/scores/{customer(number)}?as_of=1999-01-01T00:00:00Z", 404)


async def test_who_never_bought_has_no_score(client: aiohttp.ClientSession) -> None:
    await get(client, f"/v1/scores/{customer(7_777)}", 404)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/scores/not-an-id", "path.customer_id"),
        (f"/v1/scores/{customer(1)}?as_of=yesterday", "query.as_of"),
        (f"/v1/scores/{customer(1)}?as_of=2021-01-01T00:00:00", "query.as_of"),
        (f"/v1/scores/{customer(1)}?as_of={(datetime.now(UTC) + timedelta(days=9)).date()}T00:00:00Z", "query.as_of"),
        ("/v1/scores?segment=rich", "query.segment"),
        ("/v1/scores?sort=name", "query.sort"),
        ("/v1/scores?limit=0", "query.limit"),
    ],
)
async def test_a_wrong_question_is_a_problem_that_names_the_field(
    client: aiohttp.ClientSession, path: str, field: str
) -> None:
    problem = await get(client, path, 422)
    assert [error["field"] for error in problem["errors"]] == [field]


@pytest.mark.parametrize("path", ["/v1/scores", "/v1/models"])
@pytest.mark.parametrize(
    "cursor", ["x", "e30", "eyJ2YWx1ZSI6Ik5hTiIsImN1c3RvbWVyIjoiMSJ9", "eyJiZWZvcmUiOiJ4In0", "eyJ2YWx1ZSI6MX0"]
)
async def test_a_strange_cursor_is_refused(client: aiohttp.ClientSession, path: str, cursor: str) -> None:
    problem = await get(client, f"{path}?cursor={cursor}", 400)
    assert problem["errors"][0]["field"] == "query.cursor"


async def test_pages_lead_through_all_scores_by_value(client: aiohttp.ClientSession) -> None:
    await refit(client)
    seen: list[Score] = []
    cursor = ""
    while True:
        page = await get(client, f"/v1/scores?limit=50{cursor}")
        seen += [Score.model_validate(item) for item in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert len({score.customer_id for score in seen}) == len(seen) == 120
    values = [score.value or Decimal(0) for score in seen]
    assert values == sorted(values, reverse=True)


async def test_a_segment_lists_its_customers(client: aiohttp.ClientSession) -> None:
    await refit(client)
    items = (await get(client, "/v1/scores?segment=gone&sort=customer"))["items"]
    assert items
    assert {item["segment"] for item in items} == {"gone"}


async def test_the_summary_is_exact_and_adds_up_by_segment(client: aiohttp.ClientSession) -> None:
    before = await get(client, "/v1/scores/summary")
    assert (before["model_version"], list(before["segments"])) == (None, ["none"])
    await refit(client)
    summary = await get(client, "/v1/scores/summary")
    money = sum((purchases.money for purchases in BASE), Decimal(0))
    assert Decimal(summary["money"]) == Decimal(before["money"]) == money
    assert isinstance(summary["money"], str)
    assert summary["customers"] == sum(figures["customers"] for figures in summary["segments"].values()) == 120
    assert sum(Decimal(figures["money"]) for figures in summary["segments"].values()) == money


async def test_a_reader_may_not_refit(service: Service, client: aiohttp.ClientSession) -> None:
    headers = {"authorization": f"Bearer {service.key('scores:read')}"}
    async with client.post("/v1/models/refit", headers=headers) as response:
        assert response.status == 403
    async with client.get("/v1/scores", headers=headers) as response:
        assert response.status == 200
    async with client.get("/v1/scores", headers={"authorization": "Bearer nonsense"}) as response:
        assert response.status == 401


async def test_a_score_is_explained_in_words(service: Service, client: aiohttp.ClientSession) -> None:
    assert (await get(client, f"/v1/scores/{customer(0)}/reasons"))["reasons"] == []
    await service.refitting.refit()
    said = []
    for number in range(20):
        explained = await get(client, f"/v1/scores/{customer(number)}/reasons")
        score = Score.model_validate(explained["score"])
        assert (score.customer_id, score.model is None) == (customer(number), False)
        assert len(explained["reasons"]) <= 3
        said += explained["reasons"]
    assert {"silent", "bought-once"} & {reason["code"] for reason in said}
    assert any("usually every" in reason["text"] for reason in said)
    await get(client, f"/v1/scores/{customer(999)}/reasons", 404)


async def test_a_lifetime_value_is_past_and_future_with_an_interval(
    service: Service, client: aiohttp.ClientSession
) -> None:
    await get(client, f"/v1/scores/{customer(0)}/lifetime-value", 404)
    await service.refitting.refit()
    for number in range(20):
        found = await get(client, f"/v1/scores/{customer(number)}/lifetime-value")
        past, future, value, low, high = (Decimal(found[part]) for part in ("past", "future", "value", "low", "high"))
        assert abs(past - BASE[number].money / 4) < Decimal("0.01")
        assert value == past + future
        assert past <= low <= high
        assert future > 0
        assert 0 < found["residual_days"] < 3_653
    assert (found["margin"], found["yearly_discount"], found["interval"], found["model_version"]) == (0.25, 0.1, 0.8, 1)
    await get(client, f"/v1/scores/{customer(999)}/lifetime-value", 404)
