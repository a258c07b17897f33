"""Links over HTTP and Kafka, as the whole service has them: real application, real MongoDB, real Kafka."""

import asyncio
from typing import Any

import aiohttp
import pytest

from shared.settings import PlatformSettings
from tests.contacts.test_api import NOBODY, ask, client, register
from tests.contacts.test_consumers import everybody, report, send, service
from tests.waiting import eventually

__all__ = ["client"]
pytestmark = pytest.mark.integration
Client = aiohttp.ClientSession


async def party(client: Client, name: str, kind: str = "organisation", **more: Any) -> str:
    return str((await register(client, {"name": name, "party": kind, **more}))["customer_id"])


async def link(client: Client, one: str, kind: str, other: str, **said: Any) -> tuple[int, Any]:
    status, body, _ = await ask(client, "PUT", f"/v1/contacts/{one}/links/{kind}/{other}", said)
    return status, body


async def links(client: Client, one: str, end: str = "own", *, holding: bool = True) -> list[tuple[str, Any]]:
    status, page, _ = await ask(client, "GET", f"/v1/contacts/{one}/links?end={end}")
    assert status == 200, page
    return [(item["kind"], item["other"]["name"]) for item in page["items"] if item["holds"] or not holding]


async def test_a_link_is_made_read_from_both_ends_and_ended(client: Client) -> None:
    ann, acme = await party(client, "Ann", "person"), await party(client, "Acme")
    status, made = await link(client, ann, "works-at", acme, title="Clerk", evidence="card")
    assert (status, made["kind"], made["title"], made["holds"]) == (200, "works-at", "Clerk", True)
    assert await links(client, ann) == [("works-at", "Acme")]
    assert await links(client, acme, "others") == [("employs", "Ann")]
    assert await links(client, acme) == []
    assert (await link(client, acme, "employs", ann, title="Boss"))[0] == 200
    _, contact, _ = await ask(client, "GET", f"/v1/contacts/{ann}")
    assert [one["title"] for one in contact["links"]] == ["Boss"]
    assert (await ask(client, "DELETE", f"/v1/contacts/{ann}/links/works-at/{acme}"))[0] == 204
    assert (await ask(client, "DELETE", f"/v1/contacts/{ann}/links/works-at/{acme}"))[0] == 404
    assert await links(client, ann) == []
    assert await links(client, acme, "others", holding=False) == [("employs", "Ann")]


async def test_what_cannot_be_linked_is_refused_by_name(client: Client) -> None:
    ann, acme, bolt = await party(client, "Ann", "person"), await party(client, "Acme"), await party(client, "Bolt")
    for one, kind, other, field in (
        (ann, "works-at", ann, "path.other_id"),
        (acme, "works-at", bolt, "path.kind"),
        (ann, "member-of", acme, "path.kind"),
        (ann, "likes", acme, "path.kind"),
    ):
        status, problem = await link(client, one, kind, other)
        assert (status, [error["field"] for error in problem["errors"]]) == (422, [field])
    assert (await link(client, ann, "works-at", NOBODY))[0] == 404
    status, problem, _ = await ask(client, "PATCH", f"/v1/contacts/{ann}", {"links": [{"kind": "employs", "to": []}]})
    assert (status, problem["errors"][0]["field"][:10]) == (422, "body.links")
    backwards = {"valid_from": "2026-02-01T00:00:00Z", "valid_until": "2026-01-01T00:00:00Z"}
    assert (await link(client, ann, "works-at", acme, **backwards))[0] == 422


async def test_a_hierarchy_is_a_tree_with_sums(client: Client) -> None:
    top, left, right = await party(client, "Top"), await party(client, "Left"), await party(client, "Right")
    site = await party(client, "Site", address={"city": "Bonn", "country": "DE"})
    ann = await party(client, "Ann", "person", stage="customer")
    bob = await party(client, "Bob", "person")
    for one, kind, other in (
        (top, "parent-of", left), (right, "subsidiary-of", top), (site, "site-of", left),
        (ann, "works-at", site), (bob, "works-at", site), (bob, "works-at", top),
    ):  # fmt: skip
        assert (await link(client, one, kind, other))[0] == 200
    _, found, _ = await ask(client, "GET", f"/v1/contacts/{top}/hierarchy")
    assert (found["above"], found["complete"]) == ([], True)
    assert found["tree"]["sums"] == {"organisations": 4, "people": 3, "customers": 1}
    (under,) = next(one for one in found["tree"]["children"] if one["name"] == "Left")["children"]
    assert (under["kind"], under["address"]["city"], under["people"], under["customers"]) == ("site-of", "Bonn", 2, 1)
    _, found, _ = await ask(client, "GET", f"/v1/contacts/{top}/hierarchy?levels=1")
    assert (found["tree"]["sums"]["organisations"], found["complete"]) == (3, False)
    _, found, _ = await ask(client, "GET", f"/v1/contacts/{site}/hierarchy")
    assert [one["name"] for one in found["above"]] == ["Left", "Top"]
    assert (await link(client, top, "subsidiary-of", site))[1]["errors"][0][
        "message"
    ] == "stands below the contact already"
    assert (await link(client, left, "subsidiary-of", right))[0] == 200
    assert await links(client, left) == [("subsidiary-of", "Right")]
    assert sorted(await links(client, left, holding=False)) == [("subsidiary-of", "Right"), ("subsidiary-of", "Top")]


async def test_of_two_who_would_close_a_circle_at_once_one_is_refused(client: Client) -> None:
    for round_ in range(5):
        three = [await party(client, f"{round_} {n}") for n in range(3)]
        answers = await asyncio.gather(*(link(client, three[n], "subsidiary-of", three[(n + 1) % 3]) for n in range(3)))
        assert sorted(status for status, _ in answers) == [200, 200, 422]


async def test_a_household_is_made_of_its_members(client: Client) -> None:
    home = await party(client, "The Doves", "household", address={"city": "Bonn"})
    ann, bob = await party(client, "Ann", "person", stage="customer"), await party(client, "Bob", "person")
    for one in (ann, bob):
        assert (await link(client, home, "has-member", one))[0] == 200
    _, found, _ = await ask(client, "GET", f"/v1/contacts/{home}/household")
    assert ([one["name"] for one in found["members"]], found["address"]["city"]) == (["Ann", "Bob"], "Bonn")
    assert found["stages"] == {"customer": 1, "prospect": 1}
    assert (await ask(client, "GET", f"/v1/contacts/{ann}/household"))[0] == 409


async def test_links_follow_a_merge_and_come_back_with_its_undoing(client: Client) -> None:
    ann, anna = await party(client, "Ann", "person"), await party(client, "Anna", "person")
    acme, bolt = await party(client, "Acme"), await party(client, "Bolt")
    await link(client, ann, "referred-by", anna)
    await link(client, ann, "works-at", acme)
    await link(client, anna, "works-at", bolt)
    _, people, _ = await ask(client, "POST", f"/v1/contacts/{ann}/merges", {"absorbed": anna})
    _, firms, _ = await ask(client, "POST", f"/v1/contacts/{acme}/merges", {"absorbed": bolt})
    name = (await ask(client, "GET", f"/v1/contacts/{ann}"))[1]["name"]
    firm = (await ask(client, "GET", f"/v1/contacts/{acme}"))[1]["name"]
    assert await links(client, ann) == [("works-at", firm), ("works-at", firm)]
    assert await links(client, bolt, "others") == [("employs", name), ("employs", name)]
    assert (await ask(client, "GET", f"/v1/contacts/{acme}/hierarchy"))[1]["tree"]["people"] == 1
    assert (await ask(client, "DELETE", f"/v1/contacts/{anna}/links/works-at/{acme}"))[0] == 204
    assert await links(client, ann) == []
    assert (await ask(client, "GET", f"/v1/contacts/{acme}/hierarchy"))[1]["tree"]["people"] == 0
    for merge in (people, firms):
        assert (await ask(client, "POST", f"/v1/merges/{merge['merge_id']}/undo", {}))[0] == 200
    assert await links(client, ann, holding=False) == [("referred-by", "Anna"), ("works-at", "Acme")]
    assert await links(client, anna, "others") == [("referred", "Ann")]


async def test_channels_report_links_to_parties_that_need_not_be_known(
    settings: PlatformSettings, topics: dict[str, int]
) -> None:
    firm = [{"scheme": "shop", "value": "firm"}]
    said = {"kind": "works-at", "to": firm, "title": "Clerk"}
    async with service(settings) as client:
        await send(settings, [report(1, "ann", 1, name="Ann", links=[said])])
        await send(
            settings,
            [
                report(
                    2, "firm", 2, name="Firm", links=[{"kind": "employs", "to": [{"scheme": "shop", "value": "bob"}]}]
                )
            ],
        )
        await send(settings, [report(3, "ann", 3, links=[{**said, "ended": True}])])
        await send(settings, [report(1, "ann", 1, name="Ann", links=[said])])

        async def settled() -> bool:
            people = await everybody(client)
            assert people.keys() == {"ann", "bob", "firm"}
            assert people["firm"]["party"] == "organisation"
            assert people["firm"]["name"] == "Firm"
            assert [one.get("ended") for one in people["ann"].get("links", [])] == [True]
            return await links(client, people["firm"]["customer_id"], "others") == [("employs", None)]

        await eventually(settled)
