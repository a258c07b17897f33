"""Whose an address is that a stranger names: however it is typed, wherever it is kept, and whoever has it by then."""

import asyncio
from typing import Any

import aiohttp
import pytest

from tests.contacts.test_api import ask, client, register
from tests.contacts.test_confirmations import CONFIRM, anybody, to_send
from tests.contacts.test_strangers import MALLORY, NUMBER, REFUSAL, SAID, VICTIM, confirm, form, of, read, say

__all__ = ["client"]
pytestmark = pytest.mark.integration
Client = aiohttp.ClientSession
SECOND = {"typed": "Second@b.de", "purpose": "work"}


def granted(contact: Any) -> set[str]:
    return {one["purpose"] for one in contact["consents"] if one["status"] == "granted"}


async def merge(client: Client, survivor: Any, absorbed: Any) -> str:
    path = f"/v1/contacts/{survivor['customer_id']}/merges"
    status, answer, _ = await ask(client, "POST", path, {"absorbed": absorbed["customer_id"]})
    assert status == 200, answer
    return str(answer["merge_id"])


async def erase(client: Client, contact: Any) -> Any:
    why = {"reason": "objection", "asked_by": "customer"}
    status, answer, _ = await ask(client, "POST", f"/v1/contacts/{contact['customer_id']}/erasure", why)
    assert status == 202, answer
    return answer


@pytest.mark.parametrize("typed", ["mailto:ann@b.de", "\uff41nn@b.de", "ANN@B.DE"])
async def test_an_address_is_somebodys_however_it_is_typed(client: Client, typed: str) -> None:
    await form(client)
    ann = await register(client, {"name": "Ann", "email": "ann@b.de", "consents": [REFUSAL]})
    await say(client, mail=typed, tel="+49 (0)30 99999999", **SAID)
    lead = await of(client, "form:ann@b.de")
    assert (lead["email"], lead["consents"]) == (None, [])
    assert [one["email"] for one in await to_send(client)] == ["ann@b.de"], "not to what looks like it"
    assert await read(client, ann) == ann


async def test_a_number_is_somebodys_however_it_is_typed(client: Client) -> None:
    await form(client)
    await register(client, VICTIM)
    await say(client, mail=MALLORY, tel="+49030" + NUMBER.removeprefix("+4930"), **SAID)
    assert (await of(client, f"form:{MALLORY}"))["phone"] is None


async def test_an_address_is_somebodys_also_if_they_are_known_by_another(client: Client) -> None:
    await form(client)
    numbers = [{"typed": NUMBER}]
    ann = await register(client, {"name": "Ann", "email": "ann@b.de", "emails": [SECOND], "phones": numbers})
    await say(client, mail="second@b.de", tel=NUMBER, **SAID)
    lead = await of(client, "form:second@b.de")
    assert (lead["email"], lead["phone"], lead["consents"]) == (None, None, [])
    path = f"/v1/contacts/{ann['customer_id']}"
    assert (await ask(client, "PUT", f"{path}/do-not-contact/email", {"reason": "asked"}))[0] == 200
    assert await to_send(client) == [], "a link is an approach of whoever has the address"
    assert (await ask(client, "DELETE", f"{path}/do-not-contact/email"))[0] == 200
    [waiting] = await to_send(client)
    await confirm(client, waiting["token"])
    assert granted(await read(client, ann)) == {"newsletter", "ads"}
    assert (await of(client, "form:second@b.de"))["consents"] == []


async def test_an_address_that_several_have_is_of_none_of_them_alone(client: Client) -> None:
    await form(client)
    family = [await register(client, {"email": f"{name}@b.de", "emails": [SECOND]}) for name in ("ann", "bob")]
    await say(client, mail="second@b.de", news=1)
    await confirm(client, (await to_send(client))[0]["token"])
    assert [await read(client, one) for one in family] == family
    assert granted(await of(client, "email:second@b.de")) == {"newsletter"}


async def test_whoever_has_become_known_by_the_address_before_the_link_is_opened_is_whose_word_it_is(
    client: Client,
) -> None:
    await form(client, confirm=True)
    await say(client, mail="ann@b.de", tel=NUMBER, **SAID)
    [waiting] = await to_send(client)
    ann = await register(client, {"name": "Ann", "email": "ann@b.de"})
    lead = await of(client, "form:ann@b.de")
    await confirm(client, waiting["token"])
    assert granted(await read(client, ann)) == {"newsletter", "ads"}
    assert await of(client, "form:ann@b.de") == lead
    assert (await of(client, "email:ann@b.de"))["customer_id"] == ann["customer_id"]


async def test_many_at_once_of_one_address_are_one_lead_and_one_link(client: Client) -> None:
    await form(client, confirm=True)
    await asyncio.gather(*(say(client, mail="ann@b.de", who=f"Ann {n}", news=1) for n in range(8)))
    assert (await ask(client, "GET", "/v1/contacts/summary"))[1]["contacts"] == 1
    assert [one["email"] for one in await to_send(client)] == ["ann@b.de"]


async def test_many_who_open_a_link_at_once_while_its_address_is_registered_end_in_one_customer_with_it(
    client: Client,
) -> None:
    await form(client, confirm=True)
    await say(client, mail="ann@b.de", news=1)
    [waiting] = await to_send(client)
    *opened, _ = await asyncio.gather(
        *(anybody(client, "POST", CONFIRM, json={"token": waiting["token"]}) for _ in range(4)),
        ask(client, "POST", "/v1/contacts", {"name": "Ann", "email": "ann@b.de"}),
    )
    assert {status for status, *_ in opened} == {200}
    assert granted(await of(client, "email:ann@b.de")) == {"newsletter"}


async def test_what_was_ticked_for_an_address_that_is_not_used_is_not_the_customers_who_is_merged(
    client: Client,
) -> None:
    await form(client)
    victim = await register(client, VICTIM | {"language": "de"})
    await say(client, mail=MALLORY, tel=NUMBER, **SAID)
    lead = await of(client, f"form:{MALLORY}")
    assert granted(lead) == {"newsletter", "ads"}
    merged = await merge(client, victim, lead)
    one = await read(client, victim)
    assert (one["consents"], one["email"]) == ([], None)
    assert (await ask(client, "POST", f"/v1/merges/{merged}/undo", {}))[0] == 200
    again = await of(client, f"form:{MALLORY}")
    assert (again["email"], again["consents"]) == (MALLORY, lead["consents"]), "parted, each is who they were"
    await say(client, mail=MALLORY, tel=NUMBER, utm_source="again")
    assert (await of(client, f"form:{MALLORY}"))["attributes"]["utm_source"] == "again"


async def test_a_link_that_was_not_sent_when_its_lead_was_merged_is_over_and_says_nothing_of_whom(
    client: Client,
) -> None:
    await form(client, confirm=True)
    victim = await register(client, VICTIM | {"language": "de"})
    await say(client, mail=MALLORY, tel=NUMBER, news=1)
    [waiting] = await to_send(client)
    await merge(client, victim, await of(client, f"form:{MALLORY}"))
    assert await to_send(client) == []
    browser = {"accept": "text/html", "accept-language": "en"}
    _, page, _ = await anybody(client, "GET", waiting["url"], headers=browser)
    assert '<html lang="en"' in page


async def test_an_erasure_names_the_leads_that_have_an_address_of_the_erased(client: Client) -> None:
    await form(client)
    numbers = [{"typed": NUMBER}]
    ann = await register(client, {"name": "Ann", "email": "old@b.de", "phones": numbers})
    await ask(client, "PATCH", f"/v1/contacts/{ann['customer_id']}", {"email": "ann@b.de"})
    for mail in ("ann@b.de", "old@b.de"):
        await say(client, mail=mail)
    await say(client, mail=MALLORY, tel=NUMBER)
    await say(client, mail="bob@b.de", tel="+493099999999")
    leads = [await of(client, f"form:{mail}") for mail in ("ann@b.de", "old@b.de", MALLORY)]
    erased = await erase(client, ann)
    assert erased["leads"] == sorted(one["customer_id"] for one in leads)
    kept = (await ask(client, "GET", f"/v1/erasures/{erased['erasure_id']}"))[1]
    assert kept["leads"] == erased["leads"]
    assert erased["customers"] == [ann["customer_id"]], "others have the same number: people decide"
    assert [(await erase(client, lead))["leads"] for lead in leads] == [[], [], []]
