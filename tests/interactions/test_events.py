"""`POST /v1/events` over real HTTP, with a broker that the test can look into."""

import io
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
import pytest

from services.interactions import api
from services.interactions.api.examples import CALL, SALE
from services.interactions.handlers.gateway import Gateway
from shared.contracts.sync import KeyIssued
from shared.http import add_problems, create_app
from shared.messaging import Outgoing, Unavailable
from shared.messaging.envelope import BATCH, STRUCTURED
from shared.security import KeyTable, key_sha256, new_key
from tests.interactions.facts import NOON
from tests.web import serving

ADMIN = f"rk_admin_{'a' * 43}"


class Broker:
    """Acknowledges everything unless it is away."""

    def __init__(self) -> None:
        self.records: list[Outgoing] = []
        self.away = False

    async def send(self, records: Sequence[Outgoing]) -> None:
        if self.away:
            raise Unavailable("away")
        self.records += records


class Healthy:
    async def live(self) -> tuple[bool, dict[str, Any]]:
        return True, {}

    async def ready(self) -> tuple[bool, dict[str, Any]]:
        return True, {}


class Gate:
    """A running gateway, its broker, and a way to knock."""

    def __init__(self, client: aiohttp.ClientSession, broker: Broker, keys: KeyTable) -> None:
        self.client, self.broker, self.keys = client, broker, keys

    async def post(self, body: Any, content_type: str = STRUCTURED, **headers: str) -> tuple[int, dict[str, Any]]:
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        given = {name.replace("_", "-"): value for name, value in headers.items()} | {"content-type": content_type}
        async with self.client.post("/v1/events", data=io.BytesIO(raw), headers=given) as response:
            return response.status, await response.json(content_type=None)

    def key(self, channel_id: str | None, *scopes: str) -> str:
        key_id, key, sha256 = new_key()
        self.keys.apply(
            KeyIssued(
                key_id=key_id,
                name="a till",
                kind="channel",
                scopes=list(scopes),
                secret_sha256=sha256,
                channel_id=channel_id,
                issued_at=NOON,
            )
        )
        return f"Bearer {key}"


@asynccontextmanager
async def opened() -> AsyncIterator[Gate]:
    broker, keys = Broker(), KeyTable(key_sha256(ADMIN))
    app = create_app(
        title="t", description="t", version="1", lifespan=None, routers=[api.events(Gateway(broker, "USD"))],
        keys=keys, health=Healthy(),
    )  # fmt: skip
    add_problems(app, api.PROBLEMS)
    async with serving(app, ADMIN) as client:
        yield Gate(client, broker, keys)


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    async with opened() as gate:
        yield gate


def without(event: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in names}


def saying(event: dict[str, Any], **data: Any) -> dict[str, Any]:
    return event | {"data": event["data"] | data}


async def test_a_structured_event_goes_on_in_binary_mode_under_the_channels_identifier(gate: Gate) -> None:
    status, answer = await gate.post(SALE | {"sequence": "9", "origin": "/x"}, x_correlation_id="till-7")
    assert (status, answer) == (202, {"accepted": 1, "rejected": []})
    [record] = gate.broker.records
    assert (record.topic, record.key) == ("crm.inbound", b"north-pos:N-002261")
    assert record.value
    assert orjson.loads(record.value) == SALE["data"]
    assert dict(record.headers) == {
        "content-type": b"application/json",
        "ce_specversion": b"1.0",
        "ce_id": b"sale-31198705046",
        "ce_source": b"/channels/north-pos",
        "ce_type": b"crm.sale.reported.v1",
        "ce_time": b"2026-03-01T12:00:00Z",
        "ce_correlationid": b"till-7",
    }


async def test_an_attribute_that_is_null_is_absent(gate: Gate) -> None:
    assert await gate.post(SALE | {"time": None}) == (202, {"accepted": 1, "rejected": []})
    assert "ce_time" not in dict(gate.broker.records[0].headers)


async def test_a_binary_event_keeps_its_very_bytes(gate: Gate) -> None:
    body = b'{ "customer":[{"scheme":"a","value":"1"}], "kind":"call", "occurred_at":"2026-03-01T12:00:00Z" }'
    status, _ = await gate.post(
        body,
        "application/json; charset=utf-8",
        ce_specversion="1.0",
        ce_id="caf%C3%A9 1",
        ce_source="/channels/x",
        ce_type="crm.interaction.reported.v1",
    )
    assert status == 202
    [record] = gate.broker.records
    assert record.value == body
    assert dict(record.headers)["ce_id"] == "café 1".encode()


async def test_of_a_batch_each_event_is_judged_by_itself(gate: Gate) -> None:
    bad = saying(SALE, currency="US$") | {"id": "bad"}
    status, answer = await gate.post([SALE, bad, 7, CALL], BATCH)
    assert (status, answer["accepted"]) == (202, 2)
    assert [(r["index"], r["id"], r["reason"], r["field"]) for r in answer["rejected"]] == [
        (1, "bad", "wrong-currency", "currency"),
        (2, None, "invalid-envelope", None),
    ]
    assert len(gate.broker.records) == 2


async def test_a_batch_of_nothing_but_bad_events_is_a_problem_with_the_whole_list(gate: Gate) -> None:
    status, answer = await gate.post([without(SALE, "id"), saying(SALE, customer=[])], BATCH)
    assert (status, answer["status"], answer["accepted"]) == (422, 422, 0)
    assert [rejected["reason"] for rejected in answer["rejected"]] == ["invalid-envelope", "missing-identifier"]
    document = await (await gate.client.get("/openapi.json")).json()
    required = document["components"]["schemas"]["RejectedEvent"]["required"]
    assert all(rejected.keys() >= set(required) for rejected in answer["rejected"])
    assert gate.broker.records == []


async def test_an_empty_batch_is_taken(gate: Gate) -> None:
    assert await gate.post([], BATCH) == (202, {"accepted": 0, "rejected": []})


FAULTS: list[tuple[str, Any, int, str]] = [
    ("no JSON", b'{"a":', 400, "malformed"),
    ("bad UTF-8", b'{"a":"\xff"}', 400, "malformed"),
    ("endlessly nested", b"[" * 100_000, 400, "malformed"),
    ("nothing", b"", 400, "empty"),
    ("not an object", 7, 422, "invalid-envelope"),
    ("no id", without(SALE, "id"), 422, "invalid-envelope"),
    ("null id", SALE | {"id": None}, 422, "invalid-envelope"),
    ("empty source", SALE | {"source": ""}, 422, "invalid-envelope"),
    ("other version", SALE | {"specversion": "0.3"}, 422, "invalid-envelope"),
    ("no data", without(SALE, "data"), 400, "empty"),
    ("unknown type", SALE | {"type": "crm.sale.imagined.v1"}, 422, "unknown-type"),
    ("no customer", saying(SALE, customer=[]), 422, "missing-identifier"),
    ("no such currency", saying(SALE, currency="US$"), 422, "wrong-currency"),
    ("foreign currency", saying(SALE, currency="EUR"), 422, "wrong-currency"),
    ("year 9999", saying(SALE, ordered_at="9999-12-31T23:59:59Z"), 422, "implausible-time"),
    ("no number", saying(SALE, lines=[{"product": "p", "quantity": "1", "value": "twelve"}]), 422, "invalid-data"),
    ("two megabytes", saying(SALE, remark="x" * 2_000_000), 422, "too-large"),
    ("an order as an interaction", saying(CALL, kind="order"), 422, "invalid-data"),
]


@pytest.mark.parametrize(("body", "status", "reason"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS])
async def test_a_single_bad_event_is_a_problem_with_its_reason(gate: Gate, body: Any, status: int, reason: str) -> None:
    found, answer = await gate.post(body)
    assert (found, answer["status"], answer["reason"]) == (status, status, reason)
    assert answer["detail"]
    assert gate.broker.records == []


async def test_the_problem_names_the_field_and_not_the_value(gate: Gate) -> None:
    lines = [{"product": "p", "quantity": "1", "value": "confidential"}]
    _, answer = await gate.post(saying(SALE, lines=lines))
    assert answer["errors"][0]["field"] == "lines.0.value"
    assert "confidential" not in orjson.dumps(answer).decode()


async def test_an_unknown_content_type_is_refused(gate: Gate) -> None:
    for content_type in ("text/plain", "application/json"):
        status, _ = await gate.post(SALE, content_type)
        assert status == 415


async def test_more_than_a_thousand_events_are_too_many(gate: Gate) -> None:
    status, answer = await gate.post([SALE] * 1001, BATCH)
    assert (status, answer["status"]) == (413, 413)
    status, _ = await gate.post([SALE] * 1000, BATCH)
    assert status == 202


async def test_without_the_broker_nothing_is_accepted(gate: Gate) -> None:
    gate.broker.away = True
    for body, kind in ((SALE, STRUCTURED), ([SALE, CALL], BATCH)):
        async with gate.client.post("/v1/events", json=body, headers={"content-type": kind}) as response:
            assert (response.status, response.headers["retry-after"]) == (503, "2")
            assert "accepted" not in await response.json(content_type=None)


async def test_without_a_key_or_its_scope_nobody_gets_in(gate: Gate) -> None:
    status, _ = await gate.post(SALE, authorization="Bearer rk_x")
    assert status == 401
    status, _ = await gate.post(SALE, authorization=gate.key("north-pos", "customers:read"))
    assert status == 403


@pytest.mark.parametrize(
    ("source", "taken"),
    [
        ("/channels/north-pos", True),
        ("/channels/north-pos/till/7", True),
        ("/channels/north-pos2", False),
        ("/channels/e-shop", False),
        ("north-pos", False),
    ],
)
async def test_a_channels_key_speaks_for_that_channel_only(gate: Gate, source: str, taken: bool) -> None:
    key = gate.key("north-pos", "events:write")
    status, answer = await gate.post(SALE | {"source": source}, authorization=key)
    assert status == (202 if taken else 403)
    assert taken or answer["errors"][0]["field"] == "source"
    status, answer = await gate.post([SALE, SALE | {"source": source}], BATCH, authorization=key)
    assert (status, answer["accepted"]) == (202, 2 if taken else 1)


async def test_the_route_is_documented_with_examples_that_work(gate: Gate) -> None:
    async with gate.client.get("/openapi.json") as response:
        route = (await response.json())["paths"]["/v1/events"]["post"]
    content = route["requestBody"]["content"]
    for example in content[STRUCTURED]["examples"].values():
        assert (await gate.post(example["value"]))[0] == 202
    assert (await gate.post(content[BATCH]["example"], BATCH))[1]["accepted"] == 2
    assert route["security"]
