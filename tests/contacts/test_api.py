"""Contacts over HTTP, as the whole service answers it: real application, real MongoDB, real Kafka."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from shared.settings import PlatformSettings
from tests.contacts.running import contacts
from tests.waiting import eventually

pytestmark = pytest.mark.integration

ANN = {"customer": [{"scheme": "crm", "value": "1"}], "name": "Ann", "email": "Ann@b.de", "attributes": {"size": 4}}
NOBODY = "019b7a2c-5c00-7d3e-a1b2-0c9d8e7f6a5b"


@pytest.fixture
async def client(settings: PlatformSettings, topics: dict[str, int]) -> AsyncIterator[aiohttp.ClientSession]:
    async with contacts(settings) as session:
        yield session


async def ask(
    client: aiohttp.ClientSession, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, Any, Any]:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    async with client.request(method, path, json=body, headers=given) as response:
        return response.status, await response.json(content_type=None), response.headers


async def register(client: aiohttp.ClientSession, body: Any = ANN) -> dict[str, Any]:
    status, contact, _ = await ask(client, "POST", "/v1/contacts", body)
    assert status == 201, contact
    found: dict[str, Any] = contact
    return found


async def test_a_contact_is_registered_read_found_and_listed(client: aiohttp.ClientSession) -> None:
    status, contact, headers = await ask(client, "POST", "/v1/contacts", ANN)
    assert status == 201
    assert headers["location"] == f"/v1/contacts/{contact['customer_id']}"
    status, read, headers = await ask(client, "GET", headers["location"])
    assert (status, read, headers["etag"]) == (200, contact, '"1"')
    for identifier in ("crm:1", "email:ann@B.de"):
        assert (await ask(client, "GET", f"/v1/contacts?identifier={identifier}"))[1]["items"] == [contact]
    assert (await ask(client, "GET", "/v1/contacts?identifier=crm:2"))[1] == {"items": [], "next": None}
    other = await register(client, {"name": "Bob"})
    _, first, _ = await ask(client, "GET", "/v1/contacts?limit=1")
    _, second, _ = await ask(client, "GET", f"/v1/contacts?limit=1&cursor={first['next']}")
    assert [*first["items"], *second["items"]] == [contact, other]
    assert (await ask(client, "GET", "/v1/contacts/summary"))[1] == {"contacts": 2, "duplicates": 0}


async def test_what_is_taken_is_a_conflict_that_says_whose_it_is(client: aiohttp.ClientSession) -> None:
    contact = await register(client)
    status, problem, headers = await ask(client, "POST", "/v1/contacts", {"email": "ann@b.de"})
    assert status == 409
    assert headers["content-type"] == "application/problem+json"
    assert headers["location"] == f"/v1/contacts/{contact['customer_id']}"
    assert "email:ann@b.de" in problem["detail"]


WRONG: list[tuple[Any, str]] = [
    ({"email": "no address"}, "body.email"),
    ({"phone": "030 1234"}, "body.phone"),
    ({"emial": "ann@b.de"}, "body.emial"),
    ({"stage": None}, "body.stage"),
    ({"attributes": {"n": 2**64}}, "body.attributes.n"),
    ({"customer": [{"scheme": "UPPER", "value": "1"}]}, "body.customer.0.scheme"),
    ({"name": "a\ud800b"}, "body.name"),
    ({"reported_at": "9999-01-01T00:00:00Z"}, "body.reported_at"),
]


async def test_a_wrong_field_is_named(client: aiohttp.ClientSession) -> None:
    for body, field in WRONG:
        status, problem, _ = await ask(client, "POST", "/v1/contacts", body)
        assert (status, [error["field"] for error in problem["errors"]]) == (422, [field])


async def test_a_change_is_of_the_version_that_was_read(client: aiohttp.ClientSession) -> None:
    path = f"/v1/contacts/{(await register(client))['customer_id']}"
    status, changed, headers = await ask(client, "PATCH", path, {"name": None, "language": "de"}, if_match='"1"')
    assert (status, changed["name"], changed["language"], changed["version"]) == (200, None, "de", 2)
    assert headers["etag"] == '"2"'
    status, problem, _ = await ask(client, "PATCH", path, {"name": "A"}, if_match='"1"')
    assert (status, problem["errors"][0]["field"]) == (412, "header.If-Match")
    status, problem, _ = await ask(client, "PATCH", path, {"name": "A", "version": 1})
    assert (status, problem["errors"][0]["field"]) == (409, "body.version")
    assert (await ask(client, "PATCH", f"/v1/contacts/{NOBODY}", {"name": "A"}))[0] == 404
    assert (await ask(client, "GET", f"/v1/contacts/{NOBODY}"))[0] == 404
    assert (await ask(client, "GET", "/v1/contacts/1"))[1]["errors"][0]["field"] == "path.customer_id"


async def test_of_changes_at_once_none_is_lost(client: aiohttp.ClientSession) -> None:
    path = f"/v1/contacts/{(await register(client))['customer_id']}"
    answers = await asyncio.gather(
        *(ask(client, "PATCH", path, {"attributes": {f"a{n}": n}, "version": 1}) for n in range(6)),
        *(ask(client, "PATCH", path, {"attributes": {f"b{n}": n}}) for n in range(6)),
    )
    guarded, free = [status for status, _, _ in answers[:6]], [status for status, _, _ in answers[6:]]
    assert guarded.count(200) <= 1
    assert set(guarded) <= {200, 409}
    assert free == [200] * 6
    _, contact, _ = await ask(client, "GET", path)
    assert {f"b{n}": n for n in range(6)}.items() <= contact["attributes"].items()
    assert contact["version"] == 1 + guarded.count(200) + 6


async def test_a_write_sent_twice_under_its_key_happens_once(client: aiohttp.ClientSession) -> None:
    first = await ask(client, "POST", "/v1/contacts", ANN, idempotency_key="k")
    again = await ask(client, "POST", "/v1/contacts", ANN, idempotency_key="k")
    assert again[:2] == first[:2]
    assert again[2]["location"] == first[2]["location"]


async def test_consents_stand_by_purpose_and_channel_and_their_history_is_kept(client: aiohttp.ClientSession) -> None:
    path = f"/v1/contacts/{(await register(client))['customer_id']}/consents"

    def claim(status: str, day: int, channel: str = "email") -> dict[str, Any]:
        return {"purpose": "ads", "channel": channel, "status": status, "given_at": f"2026-01-0{day}T00:00:00Z"}

    await ask(client, "PUT", path, {"consents": [claim("granted", 1), claim("denied", 1, "phone")]})
    await ask(client, "PUT", path, {"consents": [claim("withdrawn", 3)]})
    status, late, _ = await ask(client, "PUT", path, {"consents": [claim("granted", 2)]})
    assert status == 200
    standing = (await ask(client, "GET", path))[1]
    assert late == standing
    assert [(one["channel"], one["status"]) for one in standing["consents"]] == [
        ("email", "withdrawn"),
        ("phone", "denied"),
    ]
    _, first, _ = await ask(client, "GET", f"{path}/history?limit=3")
    _, second, _ = await ask(client, "GET", f"{path}/history?limit=3&cursor={first['next']}")
    days = [one["given_at"][9] for one in first["items"] + second["items"]]
    assert (days, second["next"]) == (["3", "2", "1", "1"], None)
    assert (await ask(client, "GET", f"{path}/history?cursor=e30"))[0] == 400
    assert (await ask(client, "GET", f"/v1/contacts/{NOBODY}/consents/history"))[0] == 404


async def test_identifiers_resolve_in_order_and_the_same_again(client: aiohttp.ClientSession) -> None:
    def listed(*values: str) -> list[dict[str, str]]:
        return [{"scheme": "shop", "value": value} for value in values]

    question = {"customers": [listed("1", "2"), listed("3"), listed("2")]}
    status, answer, _ = await ask(client, "POST", "/v1/identities/resolve", question)
    assert status == 200
    one, three, two = answer["customers"]
    assert one == two != three
    assert (await ask(client, "POST", "/v1/identities/resolve", question))[1] == answer
    _, contact, _ = await ask(client, "GET", "/v1/contacts?identifier=shop:3")
    assert (contact["items"][0]["customer_id"], contact["items"][0]["stage"]) == (three, "prospect")
    assert (await ask(client, "POST", "/v1/identities/resolve", {"customers": []}))[1] == {"customers": []}
    status, problem, _ = await ask(client, "POST", "/v1/identities/resolve", {"customers": [listed("1"), []]})
    assert (status, problem["errors"][0]["field"]) == (422, "body.customers.1")


async def test_resolvers_at_once_agree_on_every_customer(client: aiohttp.ClientSession) -> None:
    lists = [[{"scheme": "shop", "value": str(n)}, {"scheme": "card", "value": str(n)}] for n in range(50)]
    halves = [[one[:1] for one in lists], [one[1:] for one in lists], lists, lists[::-1]]
    answers = await asyncio.gather(
        *(ask(client, "POST", "/v1/identities/resolve", {"customers": half}) for half in (halves[2:] * 4))
    )
    assert {status for status, _, _ in answers} == {200}
    straight = [answer["customers"] for _, answer, _ in answers[::2]]
    backward = [answer["customers"][::-1] for _, answer, _ in answers[1::2]]
    assert all(customers == straight[0] for customers in straight + backward)
    for half in halves[:2]:
        assert (await ask(client, "POST", "/v1/identities/resolve", {"customers": half}))[1]["customers"] == straight[0]
    assert (await ask(client, "GET", "/v1/contacts/summary"))[1]["contacts"] == 50


async def test_without_a_key_nothing_is_answered(client: aiohttp.ClientSession) -> None:
    assert (await ask(client, "GET", "/v1/contacts", authorization="Bearer nonsense"))[0] == 401


PURPOSES = {
    "name_parts": {"given": "Ann", "family": "Lee"},
    "phones": [{"typed": "0228 / 123456", "country": "DE", "purpose": "home"}, {"typed": "ask Bob"}],
    "emails": [{"typed": "Ann@gmial.com", "purpose": "work"}],
    "addresses": [{"typed": {"lines": ["Markt 1"], "postal_code": "D-53111", "city": "Bonn", "country": "DE"}}],
    "interests": {"garden": True},
    "preferences": {"salutation": "Du"},
    "time_zone": "Europe/Berlin",
    "owner": "eve",
    "territory": "west",
}


async def test_what_was_typed_is_kept_with_what_was_understood_and_its_verdict(client: aiohttp.ClientSession) -> None:
    contact = await register(client, PURPOSES)
    _, read, _ = await ask(client, "GET", f"/v1/contacts/{contact['customer_id']}")
    assert read == contact
    assert [(one["typed"], one["understood"], one["verdict"]) for one in read["phones"]] == [
        ("0228 / 123456", "+49228123456", "valid"),
        ("ask Bob", None, "invalid"),
    ]
    assert read["emails"][0]["suggestion"] == "ann@gmail.com"
    assert read["addresses"][0]["understood"]["postal_code"] == "53111"
    assert (read["name"], read["phone"], read["email"]) == ("Ann Lee", "+49228123456", "ann@gmial.com")
    assert (read["interests"], read["preferences"], read["territory"]) == (
        {"garden": True},
        {"salutation": "Du"},
        "west",
    )
    change = {"phones": [{"typed": "+49 228 123456", "purpose": "home", "valid_until": "2026-01-01T00:00:00Z"}]}
    _, changed, _ = await ask(client, "PATCH", f"/v1/contacts/{contact['customer_id']}", change)
    assert (changed["version"], changed["phone"], len(changed["phones"])) == (2, None, 2)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"phones": [{"typed": "1" * 101}]}, "body.phones.0.typed"),
        ({"phones": None}, "body.phones"),
        ({"emails": [{"typed": ""}]}, "body.emails.0.typed"),
        ({"addresses": [{"typed": "Markt 1"}]}, "body.addresses.0.typed"),
        ({"interests": {"garden": "yes"}}, "body.interests.garden"),
        ({"time_zone": "Europe;Berlin"}, "body.time_zone"),
    ],
)
async def test_only_what_is_technically_impossible_is_refused_and_named(
    client: aiohttp.ClientSession, body: Any, field: str
) -> None:
    status, problem, _ = await ask(client, "POST", "/v1/contacts", body)
    assert status == 422
    assert [error["field"] for error in problem["errors"]] == [field]


async def test_the_quality_of_a_contact_says_what_would_make_it_better(client: aiohttp.ClientSession) -> None:
    contact = await register(client, PURPOSES)
    status, found, _ = await ask(client, "GET", f"/v1/contacts/{contact['customer_id']}/quality")
    assert status == 200
    assert 0 < found["score"] < 100
    faults = {(one["dimension"], one["field"], one["reason"]) for one in found["findings"]}
    assert {("validity", "emails", "looks-mistyped"), ("completeness", "language", "missing")} <= faults
    assert {value["field"] for value in found["values"]} == {"name", "time_zone", "phones", "emails", "addresses"}
    assert (await ask(client, "GET", f"/v1/contacts/{NOBODY}/quality"))[0] == 404


async def test_the_quality_of_all_is_reported_from_the_start(client: aiohttp.ClientSession) -> None:
    async def reported() -> Any:
        status, report, _ = await ask(client, "GET", "/v1/contacts/quality")
        assert status == 200
        return report

    report = await eventually(reported, within=30)
    assert report["contacts"] >= 0
    assert set(report) == {"as_of", "contacts", "mean", "bands", "parties", "dimensions", "values", "findings"}


async def test_a_contact_is_found_by_its_name_page_by_page(client: aiohttp.ClientSession) -> None:
    names = ("Jürgen Müller", "Juergen Mueller", "Hans Meyer")
    ids = [(await register(client, {"name": name}))["customer_id"] for name in names]
    path = "/v1/contacts?search=muller%20jur&limit=1"
    found: list[str] = []
    given: str | None = ""
    while given is not None:
        _, page, _ = await ask(client, "GET", f"{path}{given}")
        found += [one["customer_id"] for one in page["items"]]
        given = page["next"] and f"&cursor={page['next']}"
    assert found == ids[:2]
    assert (await ask(client, "GET", "/v1/contacts?search="))[0] == 422
