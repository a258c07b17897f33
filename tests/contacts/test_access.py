"""Keys that are limited to some contacts: what they see over HTTP, on every route there is."""

import re
from typing import Any

import pytest

from tests.contacts.staff import Staff, staff
from tests.contacts.test_api import NOBODY, ask, register

__all__ = ["staff"]
pytestmark = pytest.mark.integration
SECRET = "Zzyzx"
NORTH = {"name": "Nora", "territory": "north", "owner": "olga", "customer": [{"scheme": "crm", "value": "n"}]}
SOUTH = {
    "name": f"Sam {SECRET}",
    "territory": "south",
    "owner": "otto",
    "customer": [{"scheme": "crm", "value": SECRET}],
    "email": f"{SECRET}@south.example",
}


def paths(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
        if path.startswith("/v1/")
    ]


def bodies(method: str, customer: str) -> list[Any]:
    """Bodies that the route takes, as far as this test knows it, and one that most take."""
    if method == "GET":
        return [None]
    consent = {"purpose": "ads", "channel": "any", "status": "granted", "given_at": "2026-01-01T00:00:00Z"}
    return [
        {"name": "Mallory"},
        {"absorbed": customer},
        {"consents": [consent]},
        {"customers": [[{"scheme": "crm", "value": SECRET}]]},
        {"reason": "because"},
        {"stage": "disqualified", "reason": "because"},
        {},
    ]


def queries(path: str) -> list[str]:
    """What is looked for; of a file of contacts in a form that this test reads."""
    form = "&format=jsonl" if path == "/v1/contacts/export" else ""
    return [f"?{asked}{form}" for asked in ("", f"search={SECRET}", f"identifier=crm:{SECRET}", "territory=south")]


async def test_on_no_route_is_there_a_sign_of_a_contact_that_the_key_must_not_see(staff: Staff) -> None:
    """Every route of the OpenAPI document, also those that are not yet written: what is not refused is as for nobody."""
    seen, hidden = await register(staff.admin, NORTH), await register(staff.admin, SOUTH)
    twin = await register(staff.admin, {**SOUTH, "customer": [], "email": None})
    _, merge, _ = await ask(
        staff.admin, "POST", f"/v1/contacts/{hidden['customer_id']}/merges", {"absorbed": twin["customer_id"]}
    )
    before = (await ask(staff.admin, "GET", f"/v1/contacts/{hidden['customer_id']}"))[1]
    nick = staff.of_the_north()
    document = (await ask(staff.admin, "GET", "/openapi.json"))[1]
    walked = paths(document)
    assert ("GET", "/v1/contacts/{customer_id}/changes") in walked
    assert ("GET", "/v1/contacts/{customer_id}/documents/{document_id}") in walked
    for method, path in walked:
        for body in bodies(method, hidden["customer_id"]):
            answers = []
            for customer, merged in ((hidden["customer_id"], merge["merge_id"]), (NOBODY, NOBODY)):
                named = re.sub(r"\{merge_id\}", merged, path)
                named = re.sub(r"\{[a-z_]+\}", customer, named)
                told = None if body is None else {**body, **({"absorbed": customer} if "absorbed" in body else {})}
                for query in queries(path) if method == "GET" else ("",):
                    status, answer, headers = await ask(nick, method, named + query, told)
                    assert status < 500, (method, path, answer)
                    assert SECRET not in repr(answer), (method, path)
                    assert hidden["customer_id"] not in headers.get("location", ""), (method, path)
                    if "{" in path:
                        assert status in {403, 404, 422}, (method, path, status)
                    text = repr(answer).replace(customer, "X").replace(merged, "X")
                    answers.append((status, re.sub(r"'correlation_id': '\w+'", "", text)))
            half = len(answers) // 2
            if "{" in path:
                assert answers[:half] == answers[half:], (method, path)
    assert (await ask(staff.admin, "GET", f"/v1/contacts/{hidden['customer_id']}"))[1] == before
    assert (await ask(nick, "GET", f"/v1/contacts/{seen['customer_id']}"))[0] == 200


async def test_lists_searches_and_counts_are_of_the_keys_own_contacts(staff: Staff) -> None:
    nora = await register(staff.admin, NORTH)
    await register(staff.admin, SOUTH)
    for n in range(3):
        await register(staff.admin, {"name": f"Nora South {n}", "territory": "south"})
    nick = staff.of_the_north()
    assert (await ask(nick, "GET", "/v1/contacts"))[1]["items"] == [nora]
    assert (await ask(nick, "GET", "/v1/contacts?search=nora"))[1]["items"] == [nora]
    for query in ("territory=north", "search=nora&party=person", "party=person&stage=prospect"):
        assert (await ask(nick, "GET", f"/v1/contacts?{query}"))[1]["items"] == [nora]
    for query in ("territory=south", "search=nora&territory=south", "search=nora&owner=otto"):
        assert (await ask(nick, "GET", f"/v1/contacts?{query}"))[1]["items"] == []
    assert (await ask(nick, "GET", "/v1/contacts?identifier=crm:n"))[1]["items"] == [nora]
    assert (await ask(nick, "GET", f"/v1/contacts?identifier=crm:{SECRET}"))[1]["items"] == []
    assert (await ask(nick, "GET", "/v1/contacts/summary"))[1] == {"contacts": 1, "duplicates": None}
    otto = staff.holder("contacts:read", owners=["otto"])
    assert [one["name"] for one in (await ask(otto, "GET", "/v1/contacts"))[1]["items"]] == [SOUTH["name"]]


async def test_a_limited_key_sees_links_between_its_own_contacts_only(staff: Staff) -> None:
    parties: dict[str, str] = {}
    told = {"Acme": "north", "Ann": "north", "Bob": "south", "Cleo": "south", "Dora": "north", "Bolt": "south"}
    for day, (name, territory) in enumerate(told.items(), 1):
        party, at = "organisation" if name in {"Acme", "Bolt"} else "person", f"2026-01-0{day}T00:00:00Z"
        said = {"name": name, "party": party, "territory": territory, "reported_at": at}
        one = await register(staff.admin, said)
        parties[name] = one["customer_id"]
    for name, firm in (("Ann", "Acme"), ("Bob", "Acme"), ("Cleo", "Acme"), ("Dora", "Acme"), ("Ann", "Bolt")):
        path = f"/v1/contacts/{parties[name]}/links/works-at/{parties[firm]}"
        assert (await ask(staff.admin, "PUT", path, {}))[0] == 200
    nick = staff.of_the_north()

    async def linked(name: str, query: str) -> list[str]:
        found: list[str] = []
        given: str | None = ""
        while given is not None:
            status, page, _ = await ask(nick, "GET", f"/v1/contacts/{parties[name]}/links?limit=1&{query}{given}")
            assert status == 200, page
            found += [item["other"]["name"] for item in page["items"]]
            given = page["next"] and f"&cursor={page['next']}"
        return found

    assert await linked("Acme", "end=others") == ["Ann", "Dora"]
    assert await linked("Ann", "end=own") == ["Acme"]
    assert (await ask(nick, "GET", f"/v1/contacts/{parties['Bolt']}/links?end=others"))[0] == 404
    absorbed = {"absorbed": parties["Dora"]}
    await ask(staff.admin, "POST", f"/v1/contacts/{parties['Bob']}/merges", absorbed)
    assert await linked("Acme", "end=others") == ["Ann", "Dora"], "once, as what both make together is of the north"
    _, trail, _ = await ask(staff.admin, "GET", f"/v1/audit?customer_id={parties['Ann']}")
    assert "links" in {one["action"] for one in trail["items"]}


async def test_of_customers_who_are_one_the_contact_that_all_make_decides(staff: Staff) -> None:
    early, late = {"reported_at": "2026-01-01T00:00:00Z"}, {"reported_at": "2026-01-02T00:00:00Z"}
    south = await register(staff.admin, {"name": "Ann", "territory": "south", **early})
    north = await register(staff.admin, {"name": "Ann", "territory": "north", **late})
    nick, sid = staff.of_the_north(), staff.holder("contacts:read", territories=["south"])
    path = f"/v1/contacts/{south['customer_id']}"
    assert (await ask(nick, "GET", path))[0] == 404
    _, merge, _ = await ask(staff.admin, "POST", f"{path}/merges", {"absorbed": north["customer_id"]})
    assert (await ask(nick, "GET", path))[1]["territory"] == "north"
    assert [one["customer_id"] for one in (await ask(nick, "GET", "/v1/contacts"))[1]["items"]] == [
        south["customer_id"]
    ]
    assert (await ask(sid, "GET", path))[0] == 404
    assert (await ask(sid, "GET", "/v1/contacts/summary"))[1]["contacts"] == 0
    undo = f"/v1/merges/{merge['merge_id']}/undo"
    assert (await ask(nick, "POST", undo, {}))[0] == 422, "it would lose sight of one of the two"
    assert (await ask(staff.admin, "POST", undo, {}))[0] == 200
    assert (await ask(nick, "GET", path))[0] == 404
    assert (await ask(sid, "GET", path))[0] == 200
    assert (await ask(nick, "POST", undo, {}))[0] == 404


async def test_a_limited_key_changes_its_own_contacts_and_puts_none_out_of_its_sight(staff: Staff) -> None:
    nora = await register(staff.admin, NORTH)
    sam = await register(staff.admin, SOUTH)
    nick = staff.of_the_north()
    path = f"/v1/contacts/{nora['customer_id']}"
    assert (await ask(nick, "PATCH", path, {"name": "Nora B"}))[1]["name"] == "Nora B"
    for body in ({"territory": "south"}, {"territory": None}):
        status, problem, _ = await ask(nick, "PATCH", path, body)
        assert (status, problem["errors"][0]["field"]) == (422, "body")
    assert (await ask(nick, "POST", "/v1/contacts", {"name": "New", "territory": "north"}))[0] == 201
    assert (await ask(nick, "POST", "/v1/contacts", {"name": "New"}))[0] == 422
    assert (await ask(nick, "PATCH", f"/v1/contacts/{sam['customer_id']}", {"territory": "north"}))[0] == 404
    status, problem, headers = await ask(nick, "POST", "/v1/contacts", {"territory": "north", "email": SOUTH["email"]})
    assert (status, "location" in headers) == (409, False)
    assert sam["customer_id"] not in repr(problem)
    assert (await ask(staff.admin, "GET", "/v1/contacts/summary"))[1]["contacts"] == 3


async def test_what_is_about_all_contacts_is_refused_to_a_limited_key(staff: Staff) -> None:
    nick = staff.holder("*", territories=["north"])
    for method, path, body in (
        ("GET", "/v1/contacts/quality", None),
        ("POST", "/v1/identities/resolve", {"customers": []}),
        ("GET", "/v1/audit", None),
    ):
        assert (await ask(nick, method, path, body))[0] == 403, path


async def test_what_a_limited_key_looks_for_is_in_the_trail_also_if_it_finds_nobody(staff: Staff) -> None:
    nora = await register(staff.admin, NORTH)
    nick = staff.of_the_north()
    await ask(nick, "GET", "/v1/contacts?search=nora", X_Purpose="Call back")
    await ask(nick, "GET", "/v1/contacts?search=nobody")
    found = (await ask(staff.admin, "GET", "/v1/audit"))[1]["items"]
    assert [(one["action"], one["customers"], one["purpose"]) for one in found[:2]] == [
        ("search", [], None),
        ("search", [nora["customer_id"]], "Call back"),
    ]
    assert (await ask(nick, "GET", "/v1/contacts", X_Purpose="x" * 201))[0] == 422


async def test_a_limited_key_has_stages_documents_and_links_of_its_own_contacts_and_makes_no_links(
    staff: Staff,
) -> None:
    nora, sam = await register(staff.admin, NORTH), await register(staff.admin, SOUTH)
    own, other = nora["customer_id"], sam["customer_id"]
    assert (await ask(staff.admin, "PUT", f"/v1/contacts/{own}/links/referred-by/{other}", {}))[0] == 200
    nick = staff.of_the_north()
    for method, path, body, statuses in (
        ("GET", "/v1/contacts/{}/stages", None, (200, 404)),
        ("GET", "/v1/contacts/{}/roles", None, (200, 404)),
        ("PUT", "/v1/contacts/{}/stages", {"stage": "lead", "reason": "fair"}, (200, 404)),
        ("GET", "/v1/contacts/{}/documents", None, (200, 404)),
        ("GET", f"/v1/contacts/{{}}/documents/{NOBODY}", None, (404, 404)),
        ("POST", "/v1/contacts/{}/documents?name=a.txt", "Hello", (201, 404)),
        ("GET", "/v1/contacts/{}/links", None, (200, 404)),
        ("GET", "/v1/contacts/{}/hierarchy", None, (403, 403)),
        ("PUT", f"/v1/contacts/{{}}/links/referred-by/{NOBODY}", {}, (403, 403)),
        ("POST", "/v1/contacts/reassign", {"of": {"owner": "olga"}, "to": {"owner": "otto"}}, (403, 403)),
    ):
        answers = [(await ask(nick, method, path.format(one), body))[0] for one in (own, other)]
        assert tuple(answers) == statuses, (method, path)
    for path in (f"/v1/contacts/{own}", "/v1/contacts", f"/v1/contacts/{own}/changes"):
        status, answer, _ = await ask(nick, "GET", path)
        assert (status, other in repr(answer)) == (200, False), path
        assert other in repr((await ask(staff.admin, "GET", path))[1]), path


async def test_a_search_by_fields_obeys_limited_keys_and_the_codes_that_are_sensitive(staff: Staff) -> None:
    for name in ("tier", "iban"):
        definition = {"type": "text", "searchable": True}
        assert (await ask(staff.admin, "PUT", f"/v1/contacts/fields/{name}", definition))[0] == 200
    fields = {"attributes": {"tier": "gold", "iban": "X"}}
    nora, _ = await register(staff.admin, NORTH | fields), await register(staff.admin, SOUTH | fields)
    nick, plain = staff.of_the_north(), staff.holder("contacts:read")
    found = (await ask(nick, "GET", "/v1/contacts?field.tier=gold"))[1]["items"]
    assert [one["customer_id"] for one in found] == [nora["customer_id"]]
    assert len((await ask(staff.admin, "GET", "/v1/contacts?field.tier=gold"))[1]["items"]) == 2
    status, problem, _ = await ask(plain, "GET", "/v1/contacts?field.iban=X")
    assert (status, problem["errors"][0]["field"]) == (422, "query.field.iban")
    assert len((await ask(nick, "GET", "/v1/contacts?field.iban=X"))[1]["items"]) == 1
    trail = (await ask(staff.admin, "GET", f"/v1/audit?customer_id={nora['customer_id']}"))[1]["items"]
    assert ("find", ["attributes.iban"]) in [(one["action"], one["fields"]) for one in trail if one["key"] == "Nick"]
