"""What every service answers alike: problems, pages, probes, headers, limits."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from fastapi import APIRouter, Request
from hypothesis import given, strategies as st
from pydantic import BaseModel, Field
from pymongo.errors import OperationFailure, ServerSelectionTimeoutError

from shared.http import (
    Cursor,
    Limit,
    Page,
    Problem,
    create_app,
    decode_cursor,
    encode_cursor,
    moment_and_place,
    text_of,
)
from tests.waiting import eventually
from tests.web import serving


class Healthy:
    async def live(self) -> tuple[bool, dict[str, Any]]:
        return True, {"alive": True}

    async def ready(self) -> tuple[bool, dict[str, Any]]:
        return False, {"mongo": "away"}


class SoldOut(LookupError):
    """An error of a service's own."""


class Thing(BaseModel):
    name: str = Field(min_length=2, examples=["spoon"])
    sizes: list[int] = []


def things() -> APIRouter:
    router = APIRouter(prefix="/v1/things", tags=["things"])

    @router.get("")
    async def list_things(limit: Limit = 100, cursor: Cursor = None) -> Page[str]:
        start = decode_cursor(cursor)["from"] if cursor else 0
        return Page(items=[str(n) for n in range(start, start + limit)], next=encode_cursor({"from": start + limit}))

    @router.post("")
    async def make_thing(thing: Thing) -> Thing:
        return thing

    @router.put("/raw")
    async def measure(request: Request) -> int:
        return len(await request.body())

    @router.get("/taken", responses={409: {"model": Thing}})
    async def taken() -> None:
        raise Problem(409, "Taken", "Someone was faster.", type="urn:x:taken", errors=[("body.name", "is taken")])

    @router.get("/sold-out")
    async def sold_out() -> None:
        raise SoldOut("spoons")

    @router.get("/bug")
    async def bug() -> None:
        raise ValueError("the password is 1234")

    @router.get("/away")
    async def away() -> None:
        raise ServerSelectionTimeoutError("mongo:27017 refused")

    @router.get("/busy")
    async def busy() -> None:
        raise OperationFailure("another transaction of mongo:27017 was first", code=112)

    @router.patch("/{number}")
    async def change(number: int) -> int:
        return number

    return router


def an_app(max_body_bytes: int = 1000) -> Any:
    return create_app(
        title="Things",
        description="Of the test",
        version="1.2.3",
        lifespan=None,
        routers=[things()],
        keys=None,
        health=Healthy(),
        problems={SoldOut: lambda request, error: Problem(410, detail=f"No {error} at {request.url.path}.")},
        max_body_bytes=max_body_bytes,
    )


async def problem(method: str, path: str, **options: Any) -> dict[str, Any]:
    async with serving(an_app()) as client, client.request(method, path, **options) as response:
        assert response.content_type == "application/problem+json"
        body: dict[str, Any] = json.loads(await response.text())
        assert body["status"] == response.status
        assert body["correlation_id"] == response.headers["x-correlation-id"]
        return body


async def test_a_validation_error_names_each_field() -> None:
    body = await problem("POST", "/v1/things", json={"name": "x", "sizes": [1, "two"]})
    assert body["status"] == 422
    assert [error["field"] for error in body["errors"]] == ["body.name", "body.sizes.1"]
    assert "two" not in json.dumps(body), "what the client sent is not repeated"


@pytest.mark.parametrize("data", [b"{", b"", b'"\xff"', b"[" * 100_0])
async def test_a_body_that_is_no_json_is_refused(data: bytes) -> None:
    body = await problem("POST", "/v1/things", data=data, headers={"content-type": "application/json"})
    assert body["status"] in {400, 422}


async def test_a_lone_surrogate_is_a_validation_error_and_no_crash() -> None:
    body = await problem(
        "POST", "/v1/things", data=b'{"name": "ab\\ud800"}', headers={"content-type": "application/json"}
    )
    assert [error["field"] for error in body["errors"]] == ["body.name"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "Spo\0on", "sizes": [1]}, "body.name"),
        ({"name": "Spoon", "sizes": [1], "note": {"of": ["a", "\x1b[2J"]}}, "body.note.of.1"),
        ({"name": "Spoon", "sizes": [1], "\b": 1}, "body"),
    ],
)
async def test_no_text_of_a_body_has_control_characters(body: dict[str, Any], field: str) -> None:
    found = await problem("POST", "/v1/things", json=body)
    assert (found["status"], [error["field"] for error in found["errors"]]) == (422, [field])


async def test_nor_has_a_query_that_changes_something_and_files_are_not_looked_into() -> None:
    found = await problem("POST", "/v1/things?of=a%00", json={"name": "Spoon", "sizes": [1]})
    assert (found["status"], found["errors"][0]["field"]) == (422, "query")
    async with serving(an_app()) as client:
        async with client.get("/v1/things?of=a%00") as response:
            assert response.status == 200
        json_type = {"content-type": "application/json"}
        async with client.put("/v1/things/raw", data=b'"\\u0000"', headers=json_type) as response:
            assert (response.status, await response.json()) == (200, 8)


async def test_query_parameters_are_named_too() -> None:
    body = await problem("GET", "/v1/things?limit=5000")
    assert [error["field"] for error in body["errors"]] == ["query.limit"]


@pytest.mark.parametrize("cursor", ["!!", "e30", "bm90IGpzb24", "WzFd", "é"])
async def test_a_wrong_cursor_is_a_400_that_names_it(cursor: str) -> None:
    if cursor == "e30":  # well-formed, and empty: the route's own business
        assert decode_cursor(cursor) == {}
        return
    body = await problem("GET", f"/v1/things?cursor={cursor}")
    assert body["status"] == 400
    assert body["errors"][0]["field"] == "query.cursor"


async def test_an_unknown_path_is_a_problem() -> None:
    assert (await problem("GET", "/v1/nothing"))["title"] == "Not Found"
    assert (await problem("GET", "/v1/things/"))["status"] == 404


async def test_a_wrong_method_is_a_problem_that_lists_the_right_ones() -> None:
    async with serving(an_app()) as client, client.delete("/v1/things") as response:
        assert response.status == 405
        assert response.content_type == "application/problem+json"
        assert "GET" in response.headers["allow"] or "POST" in response.headers["allow"]


async def test_a_wrong_method_is_told_all_that_the_path_takes_though_each_method_has_a_route_of_its_own() -> None:
    async with serving(an_app()) as client, client.delete("/v1/things") as answer:
        assert (answer.status, answer.headers["allow"]) == (405, "GET, POST")


async def test_a_path_that_reads_like_an_id_of_another_is_told_what_it_takes_itself() -> None:
    async with serving(an_app()) as client:
        async with client.patch("/v1/things/taken") as answer:
            assert (answer.status, answer.headers["allow"]) == (405, "GET")
        async with client.patch("/v1/things/no-number") as answer:
            assert answer.status == 422
        async with client.patch("/v1/things/7") as answer:
            assert answer.status == 200


async def test_a_problem_says_all_it_knows() -> None:
    body = await problem("GET", "/v1/things/taken", headers={"x-correlation-id": "abc-1"})
    assert body == {
        "type": "urn:x:taken",
        "title": "Taken",
        "status": 409,
        "detail": "Someone was faster.",
        "errors": [{"field": "body.name", "message": "is taken"}],
        "correlation_id": "abc-1",
    }


async def test_a_services_own_error_is_the_problem_it_names() -> None:
    assert (await problem("GET", "/v1/things/sold-out"))["detail"] == "No spoons at /v1/things/sold-out."


async def test_a_bug_is_a_500_that_tells_nothing_and_a_log_line_that_tells_the_place() -> None:
    with structlog.testing.capture_logs() as logged:
        body = await problem("GET", "/v1/things/bug")
    assert (body["status"], body["title"]) == (500, "Internal Server Error")
    assert "1234" not in json.dumps([body, logged])
    (line,) = logged
    assert (line["event"], line["error"], line["route"]) == ("request_failed", "ValueError", "/v1/things/bug")
    assert "test_http.bug:" in line["at"]


@pytest.mark.parametrize("route", ["away", "busy"])
async def test_a_database_that_is_away_or_busy_is_a_503_to_be_tried_again(route: str) -> None:
    async with serving(an_app()) as client, client.get(f"/v1/things/{route}") as response:
        assert response.status == 503
        assert int(response.headers["retry-after"]) > 0
        assert "mongo:27017" not in await response.text()


async def test_a_declared_or_streamed_body_over_the_limit_is_a_413() -> None:
    async def stream() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 100

    for data in (b"x" * 1001, stream()):
        assert (await problem("PUT", "/v1/things/raw", data=data))["status"] == 413
    async with serving(an_app()) as client, client.put("/v1/things/raw", data=b"x" * 1000) as response:
        assert await response.json() == 1000


async def test_a_caller_who_leaves_in_the_middle_of_a_body_is_no_error() -> None:
    with structlog.testing.capture_logs() as logged:
        async with serving(an_app()) as client:
            address = client._base_url
            assert address is not None
            _, writer = await asyncio.open_connection(address.host, address.port)
            writer.write(b"PUT /v1/things/raw HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf")
            await writer.drain()
            writer.close()
            await writer.wait_closed()
            await eventually(lambda: [line["event"] for line in logged] == ["caller_left"])


async def test_answers_carry_safe_headers_and_a_correlation_id() -> None:
    async with serving(an_app()) as client, client.get("/v1/things") as first, client.get("/v1/things") as second:
        assert first.headers["x-content-type-options"] == "nosniff"
        assert first.headers["cache-control"] == "no-store"
        assert first.headers["x-correlation-id"] != second.headers["x-correlation-id"]
    for strange in ("a b", "x" * 200):
        async with serving(an_app()) as client, client.get("/livez", headers={"x-correlation-id": strange}) as response:
            assert response.headers["x-correlation-id"] != strange


async def test_probes_and_metrics_are_on_every_service() -> None:
    async with serving(an_app()) as client:
        live, ready, metrics = [await client.get(path) for path in ("/livez", "/readyz", "/metrics")]
        assert (live.status, await live.json()) == (200, {"alive": True})
        assert (ready.status, await ready.json()) == (503, {"mongo": "away"})
        assert "python_info" in await metrics.text()


async def test_pages_follow_their_cursor() -> None:
    async with serving(an_app()) as client, client.get("/v1/things?limit=2") as first:
        page = await first.json()
        async with client.get("/v1/things", params={"limit": 2, "cursor": page["next"]}) as second:
            assert (await second.json())["items"] == ["2", "3"]


def test_the_openapi_document_shows_errors_as_problems() -> None:
    document = an_app().openapi()
    post = document["paths"]["/v1/things"]["post"]
    assert post["operationId"] == "make_thing"
    reference = post["responses"]["4XX"]["content"]["application/problem+json"]["schema"]["$ref"]
    assert reference == "#/components/schemas/ProblemDetails"
    assert set(document["components"]["schemas"]) >= {"ProblemDetails", "FieldError", "Thing"}
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_the_openapi_document_shows_a_routes_own_errors_as_problems_too() -> None:
    document = an_app().openapi()
    assert list(document["paths"]["/v1/things/taken"]["get"]["responses"]["409"]["content"]) == [
        "application/problem+json"
    ]
    assert list(document["paths"]["/metrics"]["get"]["responses"]["200"]["content"]) == ["text/plain"]


@given(st.dictionaries(st.text(), st.none() | st.integers(-(2**53), 2**53) | st.text() | st.booleans()))
def test_a_cursor_comes_back_as_it_was(value: dict[str, Any]) -> None:
    assert decode_cursor(encode_cursor(value)) == value


@given(st.text())
def test_a_cursor_that_holds_a_text_gives_it_back(text: str) -> None:
    assert text_of(encode_cursor({"after": text}), "after") == text


@pytest.mark.parametrize("cursor", [None, ""])
def test_the_first_page_comes_after_nothing(cursor: str | None) -> None:
    assert text_of(cursor, "after") is None


@pytest.mark.parametrize("value", [{}, {"before": "x"}, {"after": 1}, {"after": None}])
def test_a_cursor_of_another_list_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(Problem, match="400"):
        text_of(encode_cursor(value), "after")


@given(st.text().filter(lambda text: not re.fullmatch(r"[\w=-]*", text, re.ASCII)))
def test_no_text_but_a_cursor_is_taken_for_one(text: str) -> None:
    with pytest.raises(Problem, match="400"):
        decode_cursor(text)


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "soon", 7, None])
def test_a_cursor_of_no_moment_is_none(at: object) -> None:
    with pytest.raises(Problem):
        moment_and_place(encode_cursor({"at": at, "place": "x"}))


def test_a_cursor_of_a_moment_is_in_universal_time() -> None:
    told = encode_cursor({"at": "2026-01-02T01:00:00+01:00", "place": "x"})
    assert moment_and_place(told) == (datetime(2026, 1, 2, tzinfo=UTC), "x")


@pytest.mark.parametrize("cursor", [None, ""])
def test_an_empty_cursor_is_the_first_page_of_a_list_by_time(cursor: str | None) -> None:
    assert moment_and_place(cursor) is None
