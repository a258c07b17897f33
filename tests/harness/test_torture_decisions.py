"""Decisions about persons as a run makes them: drawn from the seed, asked until they are known, written down as answered."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.torture.decisions.families import Erasing, Family, Merging, Round, Undoing, families
from tests.torture.decisions.steward import Steward
from tests.torture.evidence.public import Public
from tests.torture.judge.decided import Decided, Merge
from tests.torture.spec import Spec
from tests.waiting import eventually

SPEC = Spec(events=30_000, customers=5_000, seed=5)
ERASED = {"erasure_id": "e-1", "customers": ["id-1", "id-2"]}


def test_the_same_seed_decides_the_same_and_nobody_is_in_two_families() -> None:
    drawn = families(SPEC)
    assert drawn == families(SPEC)
    assert drawn != families(Spec(events=30_000, customers=5_000, seed=6))
    members = [customer for family in drawn for customer in family.customers]
    assert len(members) == len(set(members)) > SPEC.families
    assert all(SPEC.warm_up <= family.at <= SPEC.seconds for family in drawn)


def test_everything_that_is_to_be_tried_is_drawn() -> None:
    rounds = [round_.wishes for family in families(SPEC) for round_ in family.rounds]
    pairs = [wishes for wishes in rounds if len(wishes) == 2 and all(isinstance(wish, Merging) for wish in wishes)]
    ways = {(one.survivor == other.absorbed, one.absorbed == other.survivor) for one, other in pairs}  # type: ignore[union-attr]
    assert (True, True) in ways, "both ways at once"
    assert {(True, False), (False, True)} & ways, "links of a chain at once"
    assert any(one == other for one, other in pairs), "the same twice"
    assert any(isinstance(wishes[0], Undoing) for wishes in rounds)
    assert any(isinstance(wishes[0], Erasing) and len(wishes) == 2 for wishes in rounds)


def test_where_nearly_nobody_is_there_families_are_fewer() -> None:
    drawn = families(Spec(events=1_000, customers=5))
    assert 1 <= len(drawn) <= 5


class Platform:
    """Answers as it is told to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.answers: list[tuple[int, dict[str, Any]]] = []
        self.open: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.path, request.headers["idempotency-key"]))
        status, body = self.answers.pop(0)
        return web.json_response(body, status=status)

    async def found(self, request: web.Request) -> web.Response:
        number = int(request.query["identifier"][-7:])
        return web.json_response({"items": [{"customer_id": f"id-{number}"}]})

    async def ledger(self, _: web.Request) -> web.Response:
        return web.json_response({"open": self.open})

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/v1/contacts", self.found)
        app.router.add_get("/v1/erasures/{erasure}", self.ledger)
        app.router.add_post("/v1/{path:.*}", self.answer)
        return app


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
async def url(platform: Platform) -> AsyncIterator[str]:
    async with TestServer(platform.application()) as server:
        yield str(server.make_url("/"))


async def decided(url: str, *rounds: Round) -> Decided:
    """What has become of one family of two."""
    found, family = Decided(), Family((1, 2), 0.0, rounds)
    async with Public(url, "key") as public, Steward(20.0, found, [family], (url, "key"), public) as steward:
        await steward.finished()
    return found


def merge(merge_id: str) -> dict[str, Any]:
    return {"merge_id": merge_id}


async def test_a_request_is_sent_under_the_same_key_until_its_outcome_is_known(platform: Platform, url: str) -> None:
    platform.answers = [(503, {}), (429, {}), (200, merge("m-1")), (200, {})]
    found = await decided(url, Round(0.0, (Merging(1, 2),)), Round(0.0, (Undoing(0.5),)))
    assert [path for path, _ in platform.asked] == ["/v1/contacts/id-1/merges"] * 3 + ["/v1/merges/m-1/undo"]
    assert len({key for _, key in platform.asked}) == 2
    assert (found.merges, found.undone) == ({"m-1": Merge("id-1", "id-2")}, {"m-1"})
    assert found.asked_again == 2
    assert not found.wrong


async def test_two_ways_at_once_end_in_one_link_and_the_other_is_refused(platform: Platform, url: str) -> None:
    platform.answers = [(200, merge("m-1")), (409, {})]
    found = await decided(url, Round(0.0, (Merging(1, 2), Merging(2, 1))))
    assert len(found.into()) == 1
    assert not found.wrong


async def test_an_erasure_takes_all_who_are_one_and_what_is_kept_of_their_merge_is_gone(
    platform: Platform, url: str
) -> None:
    platform.answers = [(200, merge("m-1")), (202, ERASED)]
    found = await decided(url, Round(0.0, (Merging(1, 2),)), Round(0.0, (Erasing(2),)))
    assert found.erased == {"id-1": "e-1", "id-2": "e-1"}
    assert not found.into()
    assert not found.wrong


@pytest.mark.parametrize(
    ("answers", "rounds"),
    [
        ([(409, {})], [Merging(1, 2)]),
        ([(404, {})], [Merging(1, 2)]),
        ([(200, merge("m-1")), (200, merge("m-2"))], [Merging(1, 2), Merging(2, 1)]),
        ([(200, merge("m-1")), (404, {})], [Merging(1, 2), Undoing(0.0)]),
        ([(200, merge("m-1")), (202, ERASED | {"customers": ["id-2"]})], [Merging(1, 2), Erasing(2)]),
        ([(202, ERASED)], [Erasing(2)]),
        ([(404, {})], [Erasing(2)]),
    ],
)
async def test_an_answer_that_cannot_be_is_written_down(
    platform: Platform, url: str, answers: Any, rounds: list[Any]
) -> None:
    platform.answers = answers
    found = await decided(url, *(Round(0.0, (wish,)) for wish in rounds))
    assert found.wrong


async def test_who_is_asked_to_wait_sends_nothing_until_he_may(platform: Platform, url: str) -> None:
    platform.answers, found = [(200, merge("m-1"))], Decided()
    family = Family((1, 2), 0.0, (Round(0.0, (Merging(1, 2),)),))
    async with Public(url, "key") as public, Steward(20.0, found, [family], (url, "key"), public) as steward:
        await steward.pause()

        async def met() -> bool:
            return len(found.numbers) == 2

        await eventually(met)
        assert not platform.asked
        await steward.resume()
        await steward.finished()
    assert found.merges


async def test_it_is_noted_when_interactions_has_given_its_receipt(platform: Platform, url: str) -> None:
    platform.answers, found = [(202, ERASED | {"customers": ["id-1"]})], Decided()
    platform.open = ["log", "interactions"]
    family = Family((1,), 0.0, (Round(0.0, (Erasing(1),)),))
    async with Public(url, "key") as public, Steward(20.0, found, [family], (url, "key"), public) as steward:
        await steward.finished()
        await asyncio.wait_for(steward.looked(), 10)
        assert found.erasures["e-1"].receipted_at == float("inf")
        platform.open = ["log"]
        await asyncio.wait_for(steward.looked(), 10)
    assert found.erasures["e-1"].receipted_at < float("inf")
