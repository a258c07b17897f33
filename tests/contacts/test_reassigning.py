"""Many contacts change their owner, as the whole service does it: real application, real MongoDB, real Kafka."""

from typing import Any

import aiohttp
import pytest

from services.contacts.handlers import reassigning
from tests.contacts.test_api import NOBODY, ask, client, register
from tests.waiting import eventually

__all__ = ["client"]
pytestmark = pytest.mark.integration
Client = aiohttp.ClientSession


async def reassign(client: Client, of: Any, to: Any) -> Any:
    status, _, headers = await ask(client, "POST", "/v1/contacts/reassign", {"of": of, "to": to})
    assert status == 202

    async def done() -> Any:
        one = (await ask(client, "GET", headers["location"]))[1]
        return one if one["done_at"] else None

    return await eventually(done, within=60)


async def owners(client: Client) -> dict[str, Any]:
    _, page, _ = await ask(client, "GET", "/v1/contacts?limit=1000")
    return {one["name"]: (one["owner"], one["territory"]) for one in page["items"]}


async def test_all_of_an_owner_go_to_another_piece_by_piece(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reassigning, "PIECE", 2)
    for number in range(5):
        await register(client, {"name": f"a{number}", "owner": "ann", "territory": "north" if number else "south"})
    await register(client, {"name": "b", "owner": "bob"})
    one = await reassign(client, {"owner": "ann", "territory": "north"}, {"owner": "cleo"})
    assert one["changed"] == 4
    assert await owners(client) == {
        "a0": ("ann", "south"),
        **{f"a{number}": ("cleo", "north") for number in range(1, 5)},
        "b": ("bob", None),
    }
    # What it looks for is left as it was: it ends all the same.
    assert (await reassign(client, {"owner": "cleo"}, {"territory": "west"}))["changed"] == 4
    assert (await reassign(client, {"territory": None}, {"territory": "east", "owner": None}))["changed"] == 1
    assert (await owners(client))["b"] == (None, "east")


async def test_the_merged_are_one_who_belongs_to_whoever_was_said_last(client: Client) -> None:
    ann = (await register(client, {"name": "Ann", "owner": "x"}))["customer_id"]
    anna = (await register(client, {"name": "Anna", "owner": "y"}))["customer_id"]
    await ask(client, "POST", f"/v1/contacts/{ann}/merges", {"absorbed": anna})
    assert (await reassign(client, {"owner": "x"}, {"owner": "z"}))["changed"] == 0
    assert (await reassign(client, {"owner": "y"}, {"owner": "z"}))["changed"] == 1
    assert await owners(client) == {"Anna": ("z", None)}


async def test_who_says_nothing_is_told_so(client: Client) -> None:
    for body, field in (
        ({"of": {}, "to": {"owner": "a"}}, "body.of"),
        ({"of": {"owner": "a"}, "to": {}}, "body.to"),
        ({"of": {"owner": "a", "name": "b"}, "to": {"owner": "a"}}, "body.of.name"),
    ):
        status, problem, _ = await ask(client, "POST", "/v1/contacts/reassign", body)
        assert (status, problem["errors"][0]["field"]) == (422, field)
    assert (await ask(client, "GET", f"/v1/contacts/reassignments/{NOBODY}"))[0] == 404
