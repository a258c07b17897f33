"""Rules of survivorship set while everything runs: real application, real MongoDB, real Kafka."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import aiohttp
import pytest

from services.contacts.domain.changes import Author
from services.contacts.domain.ruling import MAX_RULES, NEWEST, Rule
from services.contacts.domain.survivorship import Statement
from services.contacts.handlers import Merging, ruling
from services.contacts.handlers.book import open_book
from services.contacts.handlers.merging import Decision
from services.contacts.handlers.rulebook import Kept
from services.contacts.handlers.ruling import Ruling
from services.contacts.store import MongoStore, RuleStore
from shared import mongo
from shared.contracts.fact import Identifier
from shared.ids import uuid7
from shared.messaging import Unit
from shared.mongo import Database
from shared.settings import PlatformSettings
from tests.contacts.running import contacts_database
from tests.contacts.staff import Staff, staff
from tests.contacts.test_api import ask, register
from tests.contacts.test_consumers import report, send, service
from tests.contacts.test_handlers import NOW, Noon
from tests.waiting import eventually

__all__ = ["staff"]
pytestmark = pytest.mark.integration
Client = aiohttp.ClientSession
ERP, SHOP = "/channels/erp", "/channels/shop"


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One instance alone knows a rule as soon as it is set."""
    monkeypatch.setattr(ruling, "CURRENT", timedelta(0))


async def rule(client: Client, field: str, name: str, **more: Any) -> tuple[int, Any]:
    status, body, _ = await ask(client, "PUT", f"/v1/contacts/survivorship/{field}", {"rule": name, **more})
    return status, body


async def prefer(client: Client, field: str, *sources: str) -> None:
    status, body = await rule(client, field, "source-priority", sources=list(sources))
    assert (status, body["by"], body["source"]) == (200, "admin", "/keys/admin"), body
    await eventually(lambda: judged(client, field), within=60)


async def judged(client: Client, field: str) -> bool:
    return not (await ask(client, "GET", f"/v1/contacts/survivorship/{field}"))[1]["work"]


async def named(client: Client, identifier: str, name: str | None) -> Any:
    """The contact, once it is called so."""

    async def found() -> Any:
        items = (await ask(client, "GET", f"/v1/contacts?identifier={identifier}"))[1]["items"]
        return items[0] if items and items[0]["name"] == name else None

    return await eventually(found)


async def provenance(client: Client, customer: str) -> dict[str, Any]:
    status, body, _ = await ask(client, "GET", f"/v1/contacts/{customer}/provenance")
    assert status == 200, body
    return {one["field"]: one for one in body["fields"]}


@pytest.mark.usefixtures("at_once", "topics")
async def test_a_rule_is_set_judges_what_was_said_before_and_is_given_up(settings: PlatformSettings) -> None:
    async with service(settings) as client:
        await prefer(client, "name", ERP)
        await send(settings, [report(1, "1", 1, ERP, name="Erp"), report(2, "1", 2, SHOP, name="Shop")])
        await send(settings, [report(3, "1", 3, SHOP, phone="+4930123456")])

        async def heard() -> Any:
            contact = await named(client, "shop:1", "Erp")
            return contact if contact["phone"] else None

        ann = (await eventually(heard))["customer_id"]
        name = (await provenance(client, ann))["name"]
        assert (name["source"], name["by"], name["said_at"]) == (ERP, None, "2026-01-02T01:00:00Z")
        assert [(one["source"], one["value"], one["said_at"]) for one in name["also"]] == [
            (SHOP, "Shop", "2026-01-02T02:00:00Z")
        ]
        status, contact, _ = await ask(client, "PATCH", f"/v1/contacts/{ann}", {"name": "Desk", "language": "de"})
        assert (status, contact["name"], contact["language"]) == (200, "Erp", "de")

        await prefer(client, "name", "/keys/*", SHOP)
        contact = await named(client, "shop:1", "Desk")
        change = (await ask(client, "GET", f"/v1/contacts/{ann}/changes"))[1]["items"][0]
        assert (change["version"], change["by"]) == (contact["version"], "admin")
        assert change["reason"] == "survivorship rule of name changed by admin"
        assert [(one["field"], one["before"], one["after"]) for one in change["fields"]] == [("name", "Erp", "Desk")]
        moment = contact["changed_at"]
        await prefer(client, "name", ERP)
        assert (await named(client, "shop:1", "Erp"))["version"] == contact["version"] + 1
        assert (await ask(client, "GET", f"/v1/contacts/{ann}?as_of={moment}"))[1] == contact
        assert "also_said" in repr((await ask(client, "GET", f"/v1/customers/{ann}/held"))[1])

        assert (await ask(client, "DELETE", "/v1/contacts/survivorship/name"))[0] == 202
        await named(client, "shop:1", "Desk")
        origins = await provenance(client, ann)
        assert (origins["name"]["source"], origins["name"]["by"], origins["name"]["rule"]) == (
            "/keys/admin",
            "admin",
            "newest",
        )
        assert (origins["name"]["also"], origins["phone"]["source"]) == ([], SHOP)
        assert (await ask(client, "GET", "/v1/contacts/survivorship"))[1]["items"] == []


@pytest.mark.usefixtures("at_once", "topics")
async def test_of_the_merged_a_rule_judges_what_was_said_of_all_parts(settings: PlatformSettings) -> None:
    async with service(settings) as client:
        await send(settings, [report(1, "1", 1, ERP, name="Ann Erp"), report(2, "2", 2, SHOP, name="Ann Shop")])
        ann = (await named(client, "shop:1", "Ann Erp"))["customer_id"]
        twin = (await named(client, "shop:2", "Ann Shop"))["customer_id"]
        _, merge, _ = await ask(client, "POST", f"/v1/contacts/{ann}/merges", {"absorbed": twin})
        assert (await named(client, "shop:1", "Ann Shop"))["absorbed"] == [twin]
        await prefer(client, "name", ERP)
        contact = await named(client, "shop:2", "Ann Erp")
        status, body, headers = await ask(client, "GET", f"/v1/contacts/{twin}/provenance")
        assert (status, body["customer_id"], headers["content-location"]) == (
            200,
            ann,
            f"/v1/contacts/{ann}/provenance",
        )
        [name] = [one for one in body["fields"] if one["field"] == "name"]
        assert (name["source"], [one["value"] for one in name["also"]]) == (ERP, ["Ann Shop"])
        change = (await ask(client, "GET", f"/v1/contacts/{ann}/changes"))[1]["items"][0]
        assert (change["version"], change["reason"]) == (
            contact["version"],
            "survivorship rule of name changed by admin",
        )
        await ask(client, "POST", f"/v1/merges/{merge['merge_id']}/undo", {})
        await named(client, "shop:1", "Ann Erp")
        await named(client, "shop:2", "Ann Shop")


@pytest.mark.usefixtures("at_once", "topics")
async def test_values_of_a_dropped_field_do_not_come_back_by_its_rule(settings: PlatformSettings) -> None:
    async with service(settings) as client:
        await ask(client, "PUT", "/v1/contacts/fields/size", {"type": "number"})
        await prefer(client, "attributes.size", ERP)
        told = [report(n, "1", n, source, name=str(n), attributes={"size": n}) for n, source in ((1, ERP), (2, SHOP))]
        await send(settings, told)
        contact = await named(client, "shop:1", "2")
        assert contact["attributes"] == {"size": 1}
        assert (await ask(client, "DELETE", "/v1/contacts/fields/size?values=drop"))[0] == 202

        async def gone() -> bool:
            return (await ask(client, "GET", "/v1/contacts/fields/size"))[0] == 404

        await eventually(gone, within=60)
        assert (await ask(client, "GET", f"/v1/contacts/{contact['customer_id']}"))[1]["attributes"] == {}
        assert (await provenance(client, contact["customer_id"]))["attributes.size"]["also"] == []


async def test_rules_are_for_those_with_the_scope_and_what_is_wrong_is_named(staff: Staff) -> None:
    reader = staff.holder("contacts:read", "contacts:write", "contacts:fields", territories=["north"])
    ruler = staff.holder("contacts:survivorship")
    assert (await rule(reader, "name", "most-complete"))[0] == 403
    assert (await ask(reader, "DELETE", "/v1/contacts/survivorship/name"))[0] == 403
    status, body = await rule(ruler, "name", "most-complete")
    assert (status, body["rule"], body["by"], body["work"]) == (200, "most-complete", "Nick", True)
    assert (await rule(ruler, "name", "most-complete"))[1]["set_at"] == body["set_at"], "it is so already"
    assert [one["field"] for one in (await ask(reader, "GET", "/v1/contacts/survivorship"))[1]["items"]] == ["name"]
    assert (await ask(reader, "GET", "/v1/contacts/survivorship/email"))[1]["rule"] == "newest"
    for field, wrong, where in (
        ("email", {"rule": "most-complete"}, "body.rule"),
        ("stage", {"rule": "newest"}, "path.field"),
        ("name", {"rule": "source-priority"}, "body"),
        ("name", {"rule": "source-priority", "sources": ["x"]}, "body.sources.0"),
        ("name", {"rule": "best"}, "body.rule"),
    ):
        status, problem, _ = await ask(ruler, "PUT", f"/v1/contacts/survivorship/{field}", wrong)
        assert (status, [one["field"] for one in problem["errors"]]) == (422, [where])
    for number in range(MAX_RULES - 1):
        assert (await rule(ruler, f"attributes.a{number}", "source-priority", sources=[ERP]))[0] == 200
    status, problem = await rule(ruler, "email", "source-priority", sources=[ERP])
    assert (status, problem["errors"][0]["field"]) == (409, "path.field")


async def test_where_sensitive_fields_are_from_is_as_sensitive_as_they_are(staff: Staff) -> None:
    told = {"name": "Ann", "attributes": {"birth-date": "1990-01-01", "size": 4}, "phones": [{"typed": "+4930123456"}]}
    ann = (await register(staff.admin, told))["customer_id"]
    plain, trusted = staff.holder("contacts:read"), staff.holder("contacts:read", "contacts:sensitive")
    origins = await provenance(plain, ann)
    assert origins.keys() == {"name", "attributes.size", "phone", "party"} & origins.keys() | {
        "name",
        "attributes.size",
    }
    assert (origins["name"]["source"], origins["name"]["by"]) == ("/keys/admin", "admin")
    assert (origins["phone"]["chosen_from"], origins["phone"]["source"]) == ("phones", "/keys/admin")
    assert "attributes.birth-date" in await provenance(trusted, ann)
    trail = (await ask(staff.admin, "GET", f"/v1/audit?customer_id={ann}"))[1]["items"]
    assert [(one["action"], one["fields"]) for one in trail if one["key"] == "Nick"] == [
        ("provenance", ["attributes.birth-date"])
    ]


@pytest.fixture
async def database(settings: PlatformSettings) -> AsyncIterator[Database]:
    async with contacts_database(settings) as database:
        await RuleStore(database).prepare()
        yield database


class Transactions:
    """Transactions of one instance, which dies before the one that follows so many."""

    def __init__(self, database: Database, lives_for: int = 1_000_000) -> None:
        self.database = database
        self.left = lives_for

    async def run(self, change: Callable[[Unit], Awaitable[Any]]) -> Any:
        if self.left == 0:
            raise ConnectionError
        self.left -= 1
        return await mongo.transaction(self.database.client, lambda session: change(self._unit(session)))

    def _unit(self, session: mongo.Session) -> Unit:
        return Unit("contacts", self.database, session, now=NOW)


def rulings(database: Database, transactions: Transactions, instance: str) -> Ruling:
    return Ruling(RuleStore(database), MongoStore(database), Noon(), transactions.run, instance, None)


async def say(database: Database, customer: str, source: str, hours: float, name: str) -> None:
    async def change(unit: Unit) -> None:
        store = MongoStore(database)
        book = await open_book(store, unit, {customer}, NOW)
        card = [Identifier(scheme="card", value=customer)]
        book.hear(customer, [Statement(source, NOW + timedelta(hours=hours), card, {"name": name})])
        await store.save(book.changes(), unit.session, NOW)

    await Transactions(database).run(change)


async def test_whoever_takes_over_goes_on_and_each_contact_changes_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ruling, "CURRENT", timedelta(0))
    monkeypatch.setattr(ruling, "PIECE", 2)
    people = [uuid7(NOW + timedelta(seconds=n)) for n in range(9)]
    first = rulings(database, Transactions(database, lives_for=2), "one")
    await first.set("name", Rule(rule="source-priority", sources=(ERP,)), Author("/keys/me", "Me"))
    await rulings(database, Transactions(database), "none").work_if_due()
    for one in people:
        await say(database, one, ERP, 1, "Erp")
        await say(database, one, SHOP, 2, "Shop")
    both = (people[7], people[8])
    decision = Decision("/keys/me")
    await Transactions(database).run(lambda unit: Merging(MongoStore(database), Noon()).merge(unit, *both, decision))

    await first.set("name", Rule(rule="source-priority", sources=(SHOP,)), Author("/keys/me", "Me"))
    with pytest.raises(ConnectionError):
        await first.work_if_due()
    begun = (await RuleStore(database).all())["name"]
    assert (begun.work, begun.after) == (True, people[3])
    await rulings(database, Transactions(database), "two").work_if_due()
    store = MongoStore(database)
    contacts = await store.load(people, None)
    assert {one.published.name for one in contacts.values()} == {"Shop"}
    assert [contacts[one].published.version for one in people[:8]] == [2] * 7 + [3]
    assert (await RuleStore(database).all())["name"].work is False

    last = rulings(database, Transactions(database), "three")
    await last.set("name", NEWEST, Author("/keys/me", "Me"))
    await last.work_if_due()
    contacts = await store.load(people, None)
    assert not any(one.also for one in contacts.values())
    assert [contacts[one].published.version for one in people[:8]] == [2] * 7 + [3]
    assert await RuleStore(database).all() == {}


async def test_a_rule_that_changes_while_it_is_worked_on_is_worked_on_anew(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ruling, "CURRENT", timedelta(0))
    monkeypatch.setattr(ruling, "PIECE", 1)
    one = rulings(database, Transactions(database), "one")
    await one.set("name", Rule(rule="source-priority", sources=(ERP,)), Author("/keys/me", "Me"))
    old = (await RuleStore(database).all())["name"]
    await one.set("name", Rule(rule="most-complete"), Author("/keys/me", "Me"))
    left = await Transactions(database).run(partial(one._piece, "name", old))
    assert left.work is False
    assert (await RuleStore(database).all())["name"].rule == Rule(rule="most-complete")
    assert (await RuleStore(database).all())["name"].work


async def test_contacts_of_before_are_read_and_their_sources_are_unknown(database: Database) -> None:
    customer = uuid7(NOW)
    await say(database, customer, SHOP, 1, "Ann")
    await database["contacts"].update_one({"_id": customer}, {"$unset": {"told_by": ""}})
    store = MongoStore(database)
    before = (await store.load([customer], None))[customer]
    assert (before.contact.name, before.tellers) == ("Ann", {})
    await RuleStore(database).save("name", Kept(Rule(rule="source-priority", sources=(ERP,)), set_at=datetime.now(UTC)))
    await say(database, customer, ERP, 0, "Erp")
    after = (await store.load([customer], None))[customer]
    assert (after.contact.name, [one.value for one in after.also["name"]]) == ("Erp", ["Ann"])


async def test_who_is_concerned_is_found_by_indexes(database: Database) -> None:
    store = RuleStore(database)
    wanted = {"also.of": "name", "_id": {"$gt": ""}}
    plan = await store.contacts.find(wanted, {"_id": 1}).sort("_id", 1).explain()
    assert "also.of" in str(plan["queryPlanner"]["winningPlan"])
    assert "'SORT'" not in str(plan["queryPlanner"]["winningPlan"])
