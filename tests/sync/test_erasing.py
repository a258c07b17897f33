"""Views of the erased: empty, last in the order of changes, and told to those channels only that were ever sent one."""

from typing import Any

import pytest
from aiohttp import web

from services.sync.domain.known import NOTHING
from services.sync.domain.outgoing import Changed, Place, Receipt, Retry, Verdict, body, erasure_verdict
from services.sync.domain.policy import Policy
from services.sync.domain.view import Held
from services.sync.handlers.erasing import ASK_AGAIN, ChannelErasures, NoSuchOwed
from services.sync.handlers.memory import Memory
from services.sync.store.erasing import COLLECTION, OwedStore, steps
from shared.contracts.contacts import ContactRestricted
from shared.contracts.erasures import ErasureAwaited, ErasureDone
from shared.contracts.sync import CustomerView
from shared.erasing import Work
from shared.messaging.outbox import Told
from tests.sync.conftest import Sync, now, received
from tests.sync.delivering import delivered, delivering
from tests.sync.facts import ANNA, BERT, CLEO, NOW, contact, day, merged, order, unmerged
from tests.sync.receiver import Receiver
from tests.waiting import eventually

ID = "019b7a2c-5c00-7d3e-a1b2-0c9d8e7f6a5b"
ERASED = Changed(ANNA, 3, "2026-01-01T00:00:00Z", Place(0, 9), ((None, 3),), b"{}", erased=ID)


@pytest.mark.parametrize(
    ("receipt", "held", "expected"),
    [
        (None, 0, Verdict.HELD),
        (Receipt(ANNA, retry=Retry(2, 1, None)), 0, Verdict.HELD),
        (Receipt(ANNA, version=2, generation=1), 2, Verdict.SEND),
        (Receipt(ANNA, version=3, generation=1), 3, Verdict.HELD),
        (Receipt(ANNA, version=3, generation=1), 0, Verdict.SEND),
    ],
)
def test_only_a_channel_that_was_ever_sent_something_hears_of_an_erasure(
    receipt: Receipt | None, held: int, expected: Verdict
) -> None:
    assert erasure_verdict(ERASED, receipt, held) is expected


def test_an_erasure_says_nothing_but_whom_and_which_whatever_the_policy() -> None:
    for fields in (("*",), ("contact.name",)):
        told = body("shop", Policy(2, "service", "consent", fields, "shop"), ERASED, NOW)
        assert told == (
            b'{"channel":"shop","policy_version":2,"customer_id":"%s","version":3,"changed_at":"2026-01-01T00:00:00Z",'
            b'"withheld":[],"erased":"%s","customer":{}}' % (ANNA.encode(), ID.encode())
        )


async def erase(sync: Sync, *customers: str) -> list[Any]:
    """What sync does about it, and what it tells."""
    work, told = Work(ID, customers), []
    for step in steps(sync.views, sync.deliveries, now):
        removed = 1
        while removed:
            removed = await sync.transact(lambda unit, step=step: step.piece(unit, work))  # type: ignore[misc]
            told += sync.told
    await sync.tail.look()
    return told


async def both(sync: Sync, fact: Any) -> None:
    """A fact that is told under two ids."""
    await sync.receive([received(fact, subject=ANNA), received(fact, subject=BERT)])


@pytest.fixture
async def erasures(sync: Sync) -> ChannelErasures:
    debts = OwedStore(sync.database)
    await debts.prepare()
    return ChannelErasures(debts, sync.deliveries, sync.channels.pushed, sync.transact, now)


def test_nobody_erased_is_known_by_heart() -> None:
    memory = Memory()
    memory.keep(0, None, "mark", [Held(customer, 1, day(1), NOTHING) for customer in (ANNA, BERT)])
    memory.drop([ANNA, "nobody"])
    assert memory.recall(0, "mark", ANNA) is None
    assert memory.recall(0, "mark", BERT) is not None


@pytest.mark.integration
async def test_the_last_version_is_empty_and_the_sums_are_without_the_customer(
    sync: Sync, erasures: ChannelErasures
) -> None:
    await sync.happen(contact(ANNA), order(ANNA), order(BERT, total="2.00"))
    told = await erase(sync, ANNA)
    assert [(one.topic, one.key, one.value) for one in told] == [("crm.customers", ANNA.encode(), None)]
    assert await sync.views.one(ANNA) is None
    assert [customer for customer, _ in await sync.views.page("", 10)] == [BERT]
    customers, orders, total = await sync.views.sums()
    assert (customers, orders, f"{total:.2f}") == (1, 1, "2.00")
    [erased] = await sync.views.these([ANNA])
    assert (erased.version, erased.erased) == (2, ID)
    assert CustomerView.model_validate_json(erased.view).contact is None


@pytest.mark.integration
async def test_what_comes_for_the_erased_has_no_effect(sync: Sync, erasures: ChannelErasures) -> None:
    await sync.happen(contact(ANNA), order(ANNA))
    await erase(sync, ANNA)
    await sync.happen(order(ANNA, 2), order(BERT))
    assert [one.key for one in sync.told] == [BERT.encode()]
    [erased] = await sync.views.these([ANNA])
    assert (erased.version, await sync.views.one(ANNA)) == (2, None)


@pytest.mark.integration
async def test_who_was_one_with_the_erased_is_shown_without_them(sync: Sync, erasures: ChannelErasures) -> None:
    """Where the end of the link is heard after the erasure only."""
    await sync.happen(contact(ANNA), order(ANNA), contact(BERT), order(BERT))
    await both(sync, merged(ANNA, BERT))
    await erase(sync, BERT)
    await both(sync, unmerged(ANNA, BERT))
    [anna, bert] = await sync.views.these([ANNA, BERT])
    assert CustomerView.model_validate_json(anna.view).sales.orders == 1
    assert bert.erased == ID
    assert await sync.views.one(BERT) is None


@pytest.mark.integration
async def test_nothing_is_kept_of_the_erased_in_what_was_told_of_who_had_absorbed_them(
    sync: Sync, erasures: ChannelErasures
) -> None:
    """Anna was Bert once; Bert is Cleo now, and contacts tells Cleo alone."""
    await sync.happen(contact(ANNA, name="Anna"), contact(BERT), contact(CLEO), order(ANNA), order(BERT), order(CLEO))
    told = [contact(BERT, 2, name="Anna", absorbed=[ANNA]), contact(CLEO, 2, name="Anna", absorbed=[ANNA, BERT])]
    for survivor, absorbed, fact in ((BERT, ANNA, told[0]), (CLEO, BERT, told[1])):
        link = merged(survivor, absorbed)
        await sync.receive([received(link, subject=one) for one in (survivor, absorbed)])
        await sync.happen(fact)
    parting = unmerged(BERT, ANNA)
    await sync.receive([received(parting, subject=one) for one in (BERT, ANNA)])
    await sync.happen(contact(ANNA, 2, name="Anna"), contact(CLEO, 3, name="Cleo", absorbed=[BERT]))
    assert "Anna" in str(await sync.trees.known([BERT], None))
    await erase(sync, ANNA)
    kept = await sync.database["parts"].find().to_list(None) + await sync.database["views"].find().to_list(None)
    assert "Anna" not in str(kept)
    [cleo] = await sync.views.these([CLEO])
    view = CustomerView.model_validate_json(cleo.view)
    assert (view.contact and view.contact.name, view.sales.orders) == ("Cleo", 2)
    # Freed, Bert is told anew.
    await sync.receive([received(unmerged(CLEO, BERT), subject=one) for one in (CLEO, BERT)])
    await sync.happen(contact(BERT, 3, name="Bert"))
    [bert] = await sync.views.these([BERT])
    view = CustomerView.model_validate_json(bert.view)
    assert (view.contact and view.contact.name, view.sales.orders) == ("Bert", 1)


@pytest.mark.integration
async def test_a_webhooks_answer_is_its_receipt_and_a_channel_that_knew_nothing_is_not_told(
    sync: Sync, receiver: Receiver, erasures: ChannelErasures
) -> None:
    _, receiver.secret = await sync.register(url=receiver.url)
    await sync.happen(contact(ANNA))
    dispatch = sync.dispatch()
    async with delivering(dispatch):
        await delivered(sync, 1)
        await sync.register(channel_id="late", url=receiver.url.replace("hooks", "nowhere"))
        told = await erase(sync, ANNA)
        awaited = [ErasureAwaited.model_validate_json(one.value) for one in told if isinstance(one, Told)]
        assert [one.place for one in awaited] == ["channel:e-shop"]
        await erasures.look()

        async def acknowledged() -> bool:
            await erasures.look()
            row = await sync.database[COLLECTION].find_one({"channel": "e-shop"})
            return row is not None and row["done_at"] is not None

        await eventually(acknowledged)
    assert receiver.bodies[-1]["erased"] == ID
    [done] = [ErasureDone.model_validate_json(one.value or b"") for one in sync.told]
    assert done.place == "channel:e-shop"
    assert not await sync.deliveries.receipts("late", [ANNA])


@pytest.mark.integration
async def test_a_channel_that_has_failed_for_good_is_asked_again_every_day(
    sync: Sync, receiver: Receiver, erasures: ChannelErasures
) -> None:
    await sync.register(url=receiver.url)
    await sync.happen(contact(ANNA), *(order(f"019aa6ff-0000-7000-8000-{n:012x}") for n in range(30)))
    async with delivering(sync.dispatch()):
        await delivered(sync, 31)
        receiver.answer = lambda said: web.Response(status=500 if "erased" in said else 204)
        await erase(sync, ANNA)

        async def failed() -> bool:
            return (await sync.deliveries.owed("e-shop"))[1] == 1

        await eventually(failed)
        await erasures.look()
        assert (await sync.deliveries.owed("e-shop"))[1] == 1
        erasures.now = lambda: now() + ASK_AGAIN
        receiver.answer = lambda _: web.Response(status=204)
        await erasures.look()
        erasures.now = now
        await sync.deliveries.deliveries.update_one({"customer": ANNA}, {"$set": {"retry.next_at": now()}})

        async def acknowledged() -> bool:
            await erasures.look()
            return await sync.database[COLLECTION].find_one({"done_at": None}) is None

        await eventually(acknowledged)


@pytest.mark.integration
async def test_a_stream_acknowledges_by_a_word_of_its_own_once(sync: Sync, erasures: ChannelErasures) -> None:
    await sync.register(channel_id="desk", kind="sse")
    await sync.happen(contact(ANNA))
    receipt = {"_id": f"desk:{ANNA}", "channel": "desk", "customer": ANNA, "version": 1}
    await sync.database["deliveries"].insert_one(receipt)
    await erase(sync, ANNA)
    await sync.database["deliveries"].update_one({"_id": receipt["_id"]}, {"$set": {"version": 2}})
    await erasures.look()
    assert await sync.database[COLLECTION].count_documents({"done_at": None}) == 1
    told = []
    for _ in range(2):
        await sync.transact(lambda unit: erasures.acknowledge(ID, "desk", unit))
        told += sync.told
    assert len(told) == 1
    with pytest.raises(NoSuchOwed):
        await sync.transact(lambda unit: erasures.acknowledge(ID, "other", unit))


def restricted(customer: str, restricted: bool = True) -> ContactRestricted:
    return ContactRestricted(customer_id=customer, restricted=restricted, since=day(1))


@pytest.mark.integration
async def test_what_comes_while_somebody_is_restricted_is_there_once_it_is_lifted(sync: Sync) -> None:
    await sync.happen(contact(ANNA), order(ANNA))
    before = CustomerView.model_validate_json((await sync.views.one(ANNA)) or b"")
    await sync.happen(restricted(ANNA), order(ANNA, 2))
    hidden = CustomerView.model_validate_json((await sync.views.one(ANNA)) or b"")
    assert (hidden.restricted, hidden.contact, hidden.sales.orders, hidden.interactions) == (True, None, 0, 0)
    await sync.happen(order(ANNA, 3), restricted(ANNA))
    await sync.happen(restricted(ANNA, False))
    after = CustomerView.model_validate_json((await sync.views.one(ANNA)) or b"")
    assert (after.contact, after.sales.orders, after.restricted) == (before.contact, 3, False)
    assert after.version > hidden.version > before.version
    assert await sync.database["parts"].count_documents({}) == 0


@pytest.mark.integration
async def test_one_restricted_part_hides_all_who_are_one(sync: Sync) -> None:
    await sync.happen(contact(ANNA), order(ANNA), contact(BERT), order(BERT))
    await sync.happen(restricted(BERT))
    await both(sync, merged(ANNA, BERT))
    view = CustomerView.model_validate_json((await sync.views.one(ANNA)) or b"")
    assert (view.restricted, view.contact) == (True, None)
    await both(sync, unmerged(ANNA, BERT))
    anna, bert = [
        CustomerView.model_validate_json((await sync.views.one(customer)) or b"") for customer in (ANNA, BERT)
    ]
    assert (anna.restricted, anna.sales.orders, bert.restricted, bert.sales.orders) == (False, 1, True, 0)


@pytest.mark.integration
async def test_somebody_restricted_of_whom_nothing_has_come_yet(sync: Sync) -> None:
    await sync.happen(restricted(ANNA, False))
    assert await sync.views.one(ANNA) is None
    await sync.happen(restricted(ANNA))
    await sync.happen(contact(ANNA))
    view = CustomerView.model_validate_json((await sync.views.one(ANNA)) or b"")
    assert (view.restricted, view.contact) == (True, None)
