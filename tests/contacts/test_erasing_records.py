"""What an erasure does to links and documents, as the whole service does it: real application, real MongoDB, real Kafka."""

from typing import Any

import orjson
import pytest

from shared import mongo
from shared.contracts.contacts import CONTACTS
from shared.settings import PlatformSettings
from tests.contacts.test_api import ask, register
from tests.contacts.test_consumers import log_of
from tests.contacts.test_documents import attach
from tests.contacts.test_erasure_api import Client, client, erase, place_done
from tests.contacts.test_links import link, links, party
from tests.waiting import eventually

__all__ = ["client"]
pytestmark = pytest.mark.integration


async def merge(client: Client, survivor: str, absorbed: str) -> str:
    status, merge, _ = await ask(client, "POST", f"/v1/contacts/{survivor}/merges", {"absorbed": absorbed})
    assert status == 200, merge
    return str(merge["merge_id"])


async def test_links_to_the_erased_are_gone_from_the_other_end_from_its_history_and_from_what_is_told(
    client: Client, settings: PlatformSettings
) -> None:
    """Of one who is alone and of one of several parts, whatever has happened to the link before."""
    ann, bob, bobby = [await party(client, name, "person") for name in ("Ann", "Bob", "Bobby")]
    acme, acme_2, bolt = [await party(client, name) for name in ("Acme", "Acme Ltd", "Bolt")]
    await merge(client, acme, acme_2)
    assert (await link(client, ann, "works-at", acme, title="Clerk"))[0] == 200
    assert (await link(client, ann, "works-at", acme, title="Boss"))[0] == 200
    assert (await link(client, ann, "works-at", bolt))[0] == 200
    assert (await link(client, bobby, "works-at", acme_2))[0] == 200
    merged = await merge(client, bob, bobby)
    before = (await ask(client, "GET", f"/v1/contacts/{ann}"))[1]
    erasure = (await erase(client, acme))[1]
    await place_done(client, erasure, "contacts")
    assert await links(client, ann, holding=False) == [("works-at", "Bolt")]
    assert await links(client, bob, holding=False) == []
    now = (await ask(client, "GET", f"/v1/contacts/{ann}"))[1]
    assert (now["version"], [one["to"] for one in now["links"]]) == (before["version"] + 1, [bolt])
    gone = {acme, acme_2}
    for customer in (ann, bob, bobby):
        history = (await ask(client, "GET", f"/v1/contacts/{customer}/changes"))[1]["items"]
        fields = [field for change in history for field in change["fields"]]
        assert not gone & set(ids_in(fields)), history
    then = (await ask(client, "GET", f"/v1/contacts/{ann}?as_of={before['changed_at']}"))[1]
    assert [one["to"] for one in then["links"]] == [bolt]
    async with log_of(settings, CONTACTS.name) as told:

        async def without() -> bool:
            contacts = [orjson.loads(record.value)["contact"] for record in told if record.key == ann.encode()]
            return bool(contacts) and [one["to"] for one in contacts[-1].get("links", ())] == [bolt]

        await eventually(without)
    assert (await ask(client, "POST", f"/v1/merges/{merged}/undo", {}))[0] == 200
    assert await links(client, bobby, holding=False) == []


def ids_in(fields: list[Any]) -> list[str]:
    return [one["to"] for field in fields if field["field"] == "links" for one in [*field["before"], *field["after"]]]


async def test_documents_of_the_erased_are_gone_with_their_bytes_and_nobody_elses(
    client: Client, settings: PlatformSettings
) -> None:
    ann, anna, bob = [str((await register(client, {"name": name}))["customer_id"]) for name in ("Ann", "Anna", "Bob")]
    for customer in (ann, anna, bob):
        assert (await attach(client, customer))[0] == 201
    await merge(client, ann, anna)
    erasure = (await erase(client, ann))[1]
    done = await place_done(client, erasure, "contacts")
    place = next(one for one in done["places"] if one["place"] == "contacts")
    assert place["removed"]["documents"] == 2
    connection = mongo.connect(settings)
    try:
        database = connection[f"{settings.namespace}rapport_contacts"]
        files = [row["_id"] async for row in database["documents_bytes.files"].find()]
        chunks = await database["documents_bytes.chunks"].distinct("files_id")
        rows = [row["_id"] async for row in database["documents"].find()]
    finally:
        await mongo.close(connection)
    assert files == chunks == rows
    assert len(rows) == 1
    assert (await ask(client, "GET", f"/v1/contacts/{bob}/documents"))[1]["items"][0]["document_id"] == rows[0]


async def test_what_is_held_on_somebody_names_their_documents_and_links_of_others_without_the_others(
    client: Client,
) -> None:
    ann, acme = await party(client, "Ann", "person"), await party(client, "Acme")
    assert (await link(client, ann, "works-at", acme, title="Clerk"))[0] == 200
    assert (await attach(client, acme, query="name=a.pdf&title=Lease"))[0] == 201
    found: dict[str, list[Any]] = {}
    after: str | None = ""
    while after is not None:
        _, page, _ = await ask(client, "GET", f"/v1/customers/{acme}/held{after}")
        for item in page["items"]:
            found.setdefault(item["section"], []).append(item["data"])
        after = f"?cursor={page['next']}" if page["next"] else None
    assert [one["title"] for one in found["documents"]] == ["Lease"]
    assert [(one["kind"], one["title"]) for one in found["linked_by"]] == [("works-at", "Clerk")]
    assert ann not in repr(found)
