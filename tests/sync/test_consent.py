"""What a channel was given under a grant is taken back once that has run out, and nobody is approached who must not be."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from tests.sync.conftest import Sync, now
from tests.sync.delivering import change, delivered, delivering, receipt
from tests.sync.facts import ANNA, BERT, contact, day
from tests.sync.receiver import Receiver
from tests.sync.running import running
from tests.sync.test_service import webhook
from tests.waiting import eventually

pytestmark = pytest.mark.integration
AGREED = {"purpose": "ads", "channel": "any", "status": "granted", "given_at": day(1), "source": "/channels/desk"}
NEVER_CALL = {"channel": "any", "reason": "asked", "since": day(1), "source": "desk"}
MAIL: dict[str, Any] = {"purpose": "ads", "basis": "consent", "fields": ["contact.name"], "consent_channel": "mail"}


async def test_what_went_out_under_a_grant_that_has_run_out_since_is_told_anew_without_the_data(
    sync: Sync, receiver: Receiver
) -> None:
    _, receiver.secret = await sync.register(url=receiver.url, **MAIL)
    until = now() + timedelta(days=1)
    async with delivering(sync.dispatch()):
        await sync.happen(contact(ANNA, 1, consents=[AGREED | {"valid_until": until}]))
        await delivered(sync, 1)
        expired = AGREED | {"status": "withdrawn", "expired": True, "valid_until": until}
        await sync.happen(contact(ANNA, 2, consents=[expired]))
        await delivered(sync, 2)
        again = AGREED | {"given_at": day(9)}
        await sync.happen(contact(ANNA, 3, consents=[again]))
        await delivered(sync, 3)
    assert [(one["customer"], one["withheld"]) for one in receiver.bodies] == [
        ({"contact": {"name": "Name 1"}}, []),
        ({}, ["contact.name"]),
        ({"contact": {"name": "Name 3"}}, []),
    ]


async def test_a_delivery_that_is_tried_again_is_judged_again(sync: Sync, receiver: Receiver) -> None:
    """Between the attempts the grant runs out, and nobody has told it."""
    until = now() + timedelta(milliseconds=300)
    receiver.answer = lambda _: web.Response(status=204 if now() > until else 500)
    await sync.register(url=receiver.url, **MAIL)
    await sync.happen(contact(ANNA, 1, consents=[AGREED | {"valid_until": until}]))
    async with delivering(sync.dispatch()):
        await eventually(lambda: now() > until)
        await sync.transact(lambda unit: sync.channels.replay_customer(unit, "e-shop", ANNA))
        await eventually(lambda: bool(receiver.bodies))
    assert all((one["customer"], one["withheld"]) == ({}, ["contact.name"]) for one in receiver.bodies)


async def test_a_channel_that_approaches_is_kept_from_who_must_not_be_and_the_others_know(
    sync: Sync, receiver: Receiver
) -> None:
    _, receiver.secret = await sync.register(url=receiver.url, fields=["contact"], consent_channel="phone")
    async with delivering(sync.dispatch()):
        await sync.happen(contact(ANNA, do_not_contact=[NEVER_CALL]), contact(BERT))
        await delivered(sync, 2)
        shown = {one["customer_id"]: one["customer"]["contact"] for one in receiver.bodies}
        assert [entry["reason"] for entry in shown[ANNA]["do_not_contact"]] == ["asked"]
        assert "do_not_contact" not in shown[BERT]
        await change(sync, approach=True)
        await sync.transact(lambda unit: sync.channels.replay_all(unit, "e-shop", None))
        await eventually(lambda: len(receiver.bodies) == 4)

        async def proven() -> bool:
            proof = await receipt(sync, ANNA)
            return proof is not None and proof.policy_version == 2

        await eventually(proven)
    last = {one["customer_id"]: one for one in receiver.bodies[2:]}
    assert (last[ANNA]["withheld"], last[ANNA]["customer"], last[ANNA]["policy_version"]) == (["contact"], {}, 2)
    assert last[BERT]["withheld"] == []


async def test_a_channel_that_approaches_gets_the_customer_anew_when_a_bar_begins_and_when_it_is_over(
    sync: Sync, receiver: Receiver
) -> None:
    """Contacts tells both as a version: the first with nothing different in it, which is judged anew all the same."""
    _, receiver.secret = await sync.register(url=receiver.url, fields=["contact.name"], approach=True)
    ahead = now() + timedelta(days=1)
    moment = {"now": now()}
    bar = NEVER_CALL | {"since": ahead}
    dispatch = sync.dispatch()
    dispatch.post = replace(dispatch.post, now=lambda: moment["now"])
    async with delivering(dispatch):
        await sync.happen(contact(ANNA, 1, name="Anna", do_not_contact=[bar]))
        await delivered(sync, 1)
        moment["now"] = ahead
        await sync.happen(contact(ANNA, 2, name="Anna", do_not_contact=[bar]))
        await delivered(sync, 2)
        await sync.happen(contact(ANNA, 3, name="Anna"))
        await delivered(sync, 3)
    shown: Any = {"contact": {"name": "Anna"}}
    assert [one["customer"] for one in receiver.bodies] == [shown, {}, shown]


async def test_a_channel_says_over_http_that_it_approaches(
    settings: Any, topics: dict[str, int], receiver: Receiver
) -> None:
    async with running(settings) as service:
        assert (await service.send("POST", "/v1/channels", webhook(receiver.url), 201))["approach"] is False
        changed = await service.send("PATCH", "/v1/channels/e-shop", {"approach": True})
        assert (changed["approach"], changed["policy_version"]) == (True, 2)
        asked = await service.get("/v1/channels/e-shop")
        assert [terms["approach"] for terms in asked["policies"]] == [False, True]
        await service.send("PATCH", "/v1/channels/e-shop", {"approach": "perhaps"}, 422)
        await service.send("DELETE", "/v1/channels/e-shop", status=204)
        await service.send("POST", "/v1/channels", webhook(receiver.url, approach=True), 201)
        await service.tell(contact(ANNA, do_not_contact=[NEVER_CALL]))
        await eventually(lambda: [one["withheld"] for one in receiver.bodies] == [["*"]])
