"""The life cycle and roles, as the whole service has them: scores over Kafka, decisions over HTTP, real MongoDB."""

from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiokafka import AIOKafkaProducer

from shared.contracts.scoring import SCORES, Score, ScoreChanged
from shared.ids import uuid7
from shared.settings import PlatformSettings
from tests.contacts.test_api import NOBODY, ask, client, register
from tests.waiting import eventually

__all__ = ["client"]
pytestmark = pytest.mark.integration
Client = aiohttp.ClientSession
DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)


async def score(settings: PlatformSettings, customer: str, number: int, **said: Any) -> None:
    """Tell a score as scoring does."""
    days = {name: START + DAY * said.pop(name) for name in ("first_purchase", "last_purchase") if name in said}
    figures: dict[str, Any] = {"purchases": 1, "frequency": 0, "money": "1", "currency": "USD", "horizon_days": 90}
    told = Score(customer_id=customer, as_of=START + DAY * said.pop("as_of"), **figures, **days, **said)
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", uuid7(START + timedelta(seconds=number)).encode()),
        ("ce_source", b"/rapport/scoring"),
        ("ce_type", ScoreChanged.TYPE.encode()),
        ("ce_time", b"2026-01-02T00:00:00Z"),
        ("ce_subject", customer.encode()),
        ("ce_sequence", f"{number:020}".encode()),
        ("content-type", b"application/json"),
    ]
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap) as producer:
        value = ScoreChanged(score=told).model_dump_json().encode()
        await producer.send_and_wait(settings.namespace + SCORES.name, value, customer.encode(), headers=headers)


async def stages(client: Client, customer: str) -> list[str]:
    status, found, _ = await ask(client, "GET", f"/v1/contacts/{customer}/stages")
    assert status == 200, found
    return [step["stage"] for step in found["steps"]]


async def reach(client: Client, customer: str, *wanted: str) -> None:
    async def look() -> bool:
        return await stages(client, customer) == list(wanted)

    await eventually(look)


async def test_scores_make_customers_who_lapse_and_come_back(client: Client, settings: PlatformSettings) -> None:
    ann = (await register(client, {"name": "Ann", "stage": "lead", "reported_at": "2025-12-01T00:00:00Z"}))[
        "customer_id"
    ]
    await score(settings, ann, 1, first_purchase=1, last_purchase=1, as_of=1)
    await reach(client, ann, "lead", "customer")
    await score(settings, ann, 2, first_purchase=1, last_purchase=1, as_of=80, segment="gone")
    await reach(client, ann, "lead", "customer", "lapsed")
    contact = (await ask(client, "GET", f"/v1/contacts/{ann}"))[1]
    assert (contact["stage"], contact["lifecycle"]["stage"], contact["lifecycle"]["reason"]) == (
        "customer",
        "lapsed",
        "gone",
    )
    await ask(client, "PATCH", f"/v1/contacts/{ann}", {"stage": "lead"})
    status, problem, _ = await ask(client, "PUT", f"/v1/contacts/{ann}/stages", {"stage": "lead", "reason": "oops"})
    assert (status, problem["errors"][0]["field"]) == (409, "body.stage")
    await score(settings, ann, 3, first_purchase=1, last_purchase=90, as_of=90)
    await reach(client, ann, "lead", "customer", "lapsed", "customer")
    _, roles, _ = await ask(client, "GET", f"/v1/contacts/{ann}/roles")
    assert [(one["role"], one["holds"]) for one in roles["roles"]] == [
        ("lead", False),
        ("customer", False),
        ("customer", True),
    ]


async def test_a_lead_is_disqualified_and_taken_back(client: Client) -> None:
    roles = [{"role": "agent", "since": "2026-01-01T00:00:00Z"}, {"role": "supplier", "until": "2026-01-01T00:00:00Z"}]
    bob = (await register(client, {"name": "Bob", "stage": "lead", "roles": roles}))["customer_id"]
    path = f"/v1/contacts/{bob}/stages"
    status, found, _ = await ask(client, "PUT", path, {"stage": "disqualified", "reason": "no-budget"})
    assert (status, found["stage"], found["steps"][-1]["reason"]) == (200, "disqualified", "no-budget")
    _, listed, _ = await ask(client, "GET", f"/v1/contacts/{bob}/roles")
    assert [(one["role"], one["holds"]) for one in listed["roles"]] == [
        ("lead", False),
        ("agent", True),
        ("supplier", False),
    ]
    _, found, _ = await ask(client, "PUT", path, {"stage": "prospect", "reason": "called-back"})
    assert [step["stage"] for step in found["steps"]] == ["lead", "disqualified", "lead", "prospect"]
    assert (await ask(client, "PUT", path, {"stage": "gone", "reason": "x"}))[0] == 422
    assert (await ask(client, "PUT", f"/v1/contacts/{NOBODY}/stages", {"stage": "lead", "reason": "x"}))[0] == 404
    assert (await ask(client, "GET", f"/v1/contacts/{NOBODY}/stages"))[0] == 404


async def test_of_two_who_are_one_the_stages_are_those_of_both(client: Client, settings: PlatformSettings) -> None:
    ann = (await register(client, {"name": "Ann", "stage": "lead", "reported_at": "2025-12-01T00:00:00Z"}))[
        "customer_id"
    ]
    anna = (await register(client, {"name": "Anna"}))["customer_id"]
    await score(settings, anna, 1, first_purchase=1, last_purchase=1, as_of=1)
    await reach(client, anna, "customer")
    _, merge, _ = await ask(client, "POST", f"/v1/contacts/{ann}/merges", {"absorbed": anna})
    assert await stages(client, ann) == await stages(client, anna) == ["lead", "customer"]
    # Scoring tells the survivor what both have bought, and after the undoing that it was the other.
    await score(settings, ann, 2, first_purchase=1, last_purchase=1, as_of=2)
    await ask(client, "POST", f"/v1/merges/{merge['merge_id']}/undo", {})
    await score(settings, ann, 3, as_of=3)
    await reach(client, ann, "lead")
    assert await stages(client, anna) == ["customer"]
