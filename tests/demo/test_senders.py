"""What the HTTP sender makes of answers: accepted, refused, try again."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from demo.emitters.event import SALE
from demo.emitters.faults import FAULTS
from demo.emitters.history import events
from demo.emitters.plan import Step
from demo.emitters.senders import HttpSender, NotTaken


class Gate:
    """Answers what it is told to, in turn, and the last answer for ever."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, Any]]] = []
        self.bodies: list[bytes] = []

    async def answer(self, request: web.Request) -> web.Response:
        assert request.headers["authorization"] == "Bearer rk_north"
        self.bodies.append(await request.read())
        status, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")


@pytest_asyncio.fixture
async def gate() -> AsyncIterator[tuple[Gate, HttpSender]]:
    app, behaviour = web.Application(client_max_size=2**25), Gate()
    app.router.add_post("/v1/events", behaviour.answer)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        yield behaviour, HttpSender(session, str(server.make_url("/v1/events")), "rk_north")


def good_and(name: str) -> list[tuple[int, Step]]:
    sale = next(event for event in events(share=0.02) if event.type == SALE and event.system.transport == "http")
    return [(1, Step(sale)), (2, Step(sale, next(fault for fault in FAULTS if fault.name == name)))]


async def test_rejections_within_a_batch_are_counted_by_reason(gate: tuple[Gate, HttpSender]) -> None:
    behaviour, sender = gate
    behaviour.answers = [(202, {"accepted": 1, "rejected": [{"index": 1, "reason": "implausible-time"}]})]
    await sender.send(good_and("year-9999"))
    assert (sender.accepted, sender.rejected) == (1, {"implausible-time": 1})
    assert len(orjson.loads(behaviour.bodies[0])) == 2


async def test_a_body_that_is_no_json_is_refused_by_itself(gate: tuple[Gate, HttpSender]) -> None:
    behaviour, sender = gate
    behaviour.answers = [(202, {"accepted": 1, "rejected": []}), (400, {"title": "no", "reason": "malformed"})]
    await sender.send(good_and("bad-json"))
    assert (sender.accepted, sender.rejected) == (1, {"malformed": 1})


async def test_what_was_not_taken_is_sent_again_and_counted_as_that(gate: tuple[Gate, HttpSender]) -> None:
    behaviour, sender = gate
    behaviour.answers = [(401, {}), (503, {}), (202, {"accepted": 2, "rejected": []})]
    await sender.send(good_and("year-9999"))
    assert (sender.accepted, sender.sent_again) == (2, 2)
    assert behaviour.bodies[0] == behaviour.bodies[1] == behaviour.bodies[2]


async def test_an_answer_that_is_not_documented_stops_the_run(gate: tuple[Gate, HttpSender]) -> None:
    behaviour, sender = gate
    behaviour.answers = [(404, {"title": "Not Found"})]
    with pytest.raises(NotTaken, match="404"):
        await sender.send(good_and("year-9999"))
