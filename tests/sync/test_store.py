"""The store on a real database: views and their order, receipts, retries, cursors and leases."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from services.sync.domain.outgoing import NOWHERE, Place, Receipt, Retry, Trouble
from services.sync.handlers.deliveries import LostLease, Settlement
from shared.contracts.sync import CustomerChanged, CustomerView
from tests.sync.conftest import Sync, now
from tests.sync.facts import ANNA, BERT, contact, customer, interaction, order, score
from tests.waiting import eventually

pytestmark = pytest.mark.integration


async def test_a_view_comes_back_as_it_was_told(sync: Sync) -> None:
    await sync.happen(contact(), order(total="10.500000"), interaction(), score())
    held = (await sync.views.load([ANNA], None))[ANNA]
    stored = await sync.views.one(ANNA)
    assert stored is not None
    assert stored == held.view()
    assert b'{"view":%s}' % stored == sync.told[0].value
    view = CustomerView.model_validate_json(stored)
    assert view.sales.total == Decimal("10.500000")
    assert view.recent_interactions[0].occurred_at.microsecond == 123456
    assert CustomerChanged(view=view).model_dump_json().encode() == sync.told[0].value


async def test_a_changed_customer_moves_to_the_tail_of_the_order(sync: Sync) -> None:
    await sync.happen(order(ANNA), order(BERT))
    await sync.happen(order(ANNA, number=2))
    changes = await sync.views.beyond({}, await sync.views.tails(), 10)
    assert [(change.customer_id, change.place, change.version) for change in changes] == [
        (BERT, Place(0, 2), 1),
        (ANNA, Place(0, 3), 2),
    ]


async def test_what_changes_behind_the_tails_that_were_known_comes_next_time(sync: Sync) -> None:
    for partition in range(2):
        await sync.happen(
            order(customer(partition * 100 + 1)), order(customer(partition * 100 + 2)), partition=partition
        )
    tails = await sync.views.tails()
    await sync.happen(order(customer(1), number=7))
    for limit in (10, 3):  # in one question, and partition by partition
        changes = await sync.views.beyond({}, tails, limit)
        assert [change.place for change in changes] == [(0, 2), (1, 1), (1, 2)]
    assert [change.place for change in await sync.views.beyond(tails, await sync.views.tails(), 10)] == [(0, 3)]


async def test_changes_of_all_partitions_are_read_side_by_side(sync: Sync) -> None:
    for partition in range(3):
        await sync.happen(*(order(customer(partition * 100 + n)) for n in range(10)), partition=partition)
    tails = await sync.views.tails()
    assert tails == {0: 10, 1: 10, 2: 10}
    changes = await sync.views.beyond({0: 10, 1: 8}, tails, 6)
    assert [change.place for change in changes] == [(1, 9), (1, 10), (2, 1), (2, 2), (2, 3), (2, 4)]
    assert await sync.views.backlog({0: 10, 1: 8}, tails) == 12


async def test_two_writers_of_one_partition_give_out_no_position_twice(sync: Sync) -> None:
    batches = [[order(customer(writer * 100 + n)) for n in range(5)] for writer in range(6)]
    await asyncio.gather(*(sync.happen(*batch) for batch in batches))
    changes = await sync.views.beyond({}, await sync.views.tails(), 100)
    assert [change.place.position for change in changes] == list(range(1, 31))


async def test_sums_over_all_customers_are_exact(sync: Sync) -> None:
    await sync.happen(order(ANNA, 1, "0.10"), order(ANNA, 2, "0.20"), contact(BERT))
    await sync.happen(order(BERT, 3, "999999999.000001"), partition=1)
    assert await sync.views.sums() == (2, 3, Decimal("999999999.300001"))


async def test_views_are_found_by_identifier_and_listed_by_id(sync: Sync) -> None:
    cards = [{"scheme": "loyalty-card", "value": "4711"}, {"scheme": "shop", "value": "a:b"}]
    await sync.happen(contact(ANNA, identifiers=cards), contact(BERT))
    assert len(await sync.views.identified("loyalty-card:4711", 10)) == 1
    assert len(await sync.views.identified("shop:a:b", 10)) == 1
    assert await sync.views.identified("shop:b", 10) == []
    assert [customer_id for customer_id, _ in await sync.views.page("", 1)] == [ANNA]
    assert [customer_id for customer_id, _ in await sync.views.page(ANNA, 5)] == [BERT]


async def test_the_place_before_a_moment_lets_everything_since_be_met(sync: Sync) -> None:
    await sync.happen(order(ANNA))
    moment = now() + timedelta(milliseconds=1)  # times are kept in milliseconds
    await eventually(lambda: now() > moment)
    await sync.happen(order(BERT))
    tails = await sync.views.tails()
    assert await sync.views.cursor_before(moment, tails) == {0: 1}
    assert await sync.views.cursor_before(moment - timedelta(days=1), tails) == {}


def settlement(*receipts: Receipt, **fields: object) -> Settlement:
    known: dict[str, object] = {"channel_id": "e-shop", "generation": 1, "owner": None, "cursor": {}}
    return Settlement(receipts=receipts, **{**known, **fields})  # type: ignore[arg-type]


async def settle(sync: Sync, what: Settlement) -> None:
    await sync.transact(lambda unit: sync.deliveries.settle(what, unit.session))


async def test_receipts_and_cursor_are_stored_together_or_not_at_all(sync: Sync) -> None:
    await sync.deliveries.start_over("e-shop", {}, None)
    with pytest.raises(LostLease):
        await settle(sync, settlement(Receipt(ANNA, version=1, at=now()), generation=2, cursor={0: 5}))
    assert await sync.deliveries.receipts("e-shop", [ANNA]) == {}
    await settle(sync, settlement(Receipt(ANNA, version=3, generation=1, place=Place(0, 5), at=now()), cursor={0: 5}))
    assert (await sync.deliveries.progress("e-shop")).cursor == {0: 5}
    receipt = (await sync.deliveries.receipts("e-shop", [ANNA, BERT]))[ANNA]
    assert (receipt.version, receipt.times, receipt.place) == (3, 1, Place(0, 5))
    assert receipt.first_at == receipt.at


async def test_a_cursor_never_goes_back_by_itself(sync: Sync) -> None:
    await sync.deliveries.start_over("e-shop", {}, None)
    await settle(sync, settlement(cursor={0: 9, 1: 4}))
    await settle(sync, settlement(cursor={0: 5, 1: 6}))
    assert (await sync.deliveries.progress("e-shop")).cursor == {0: 9, 1: 6}
    await sync.deliveries.start_over("e-shop", {0: 2}, None)
    progress = await sync.deliveries.progress("e-shop")
    assert (progress.cursor, progress.generation) == ({0: 2}, 2)


async def test_retries_come_when_they_are_due_and_end_with_a_delivery(sync: Sync) -> None:
    await sync.deliveries.start_over("e-shop", {}, None)
    soon, later = now() - timedelta(seconds=1), now() + timedelta(hours=1)
    retries = {ANNA: Retry(1, 1, soon, "answered 500"), BERT: Retry(1, 1, later), customer(3): Retry(1, 9, None, "no")}
    await settle(sync, settlement(retries=retries))
    assert [receipt.customer_id for receipt in await sync.deliveries.due("e-shop", now(), 10)] == [ANNA]
    assert await sync.deliveries.owed("e-shop") == (2, 1)
    failed = await sync.deliveries.page("e-shop", "", 10, "failed")
    assert [receipt.customer_id for receipt in failed] == [customer(3)]
    await settle(sync, settlement(Receipt(ANNA, version=1, at=now()), retries={ANNA: None, BERT: None}))
    assert await sync.deliveries.due("e-shop", now() + timedelta(days=1), 10) == []
    assert [receipt.customer_id for receipt in await sync.deliveries.page("e-shop", "", 10)] == [
        customer(3),
        ANNA,
        BERT,
    ]
    assert len(await sync.deliveries.page("e-shop", customer(3), 10, "delivered")) == 2


async def test_a_delivery_that_knew_of_no_request_leaves_it_as_it_is(sync: Sync) -> None:
    await sync.deliveries.start_over("e-shop", {}, None)
    await sync.deliveries.ask_again("e-shop", ANNA, now(), None)
    await settle(sync, settlement(Receipt(ANNA, version=1, at=now())))
    assert [receipt.customer_id for receipt in await sync.deliveries.due("e-shop", now(), 10)] == [ANNA]


async def test_a_receipt_for_several_deliveries_counts_them_all(sync: Sync) -> None:
    await sync.deliveries.start_over("e-shop", {}, None)
    first, last = now() - timedelta(seconds=1), now()
    await settle(sync, settlement(Receipt(ANNA, version=3, at=last, first_at=first, times=3)))
    await settle(sync, settlement(Receipt(ANNA, version=4, at=last + timedelta(seconds=1))))
    [stored] = await sync.deliveries.page("e-shop", "", 10)
    assert (stored.version, stored.times) == (4, 4)
    assert stored.first_at is not None
    assert abs(stored.first_at - first) < timedelta(milliseconds=1)


async def test_deliveries_of_channels_with_like_names_are_kept_apart(sync: Sync) -> None:
    for channel in ("shop", "shop-2"):
        await sync.deliveries.start_over(channel, {}, None)
        await settle(sync, settlement(Receipt(ANNA, version=1, place=NOWHERE, at=now()), channel_id=channel))
    assert len(await sync.deliveries.page("shop", "", 10)) == 1


async def test_one_instance_at_a_time_holds_a_channel(sync: Sync) -> None:
    await sync.deliveries.start_over("e-shop", {}, None)
    assert await sync.deliveries.lease("e-shop", "one", 60)
    assert await sync.deliveries.lease("e-shop", "one", 60)
    assert not await sync.deliveries.lease("e-shop", "two", 60)
    await sync.deliveries.release("e-shop", "two", {0: 9})
    assert not await sync.deliveries.lease("e-shop", "two", 60)
    assert (await sync.deliveries.progress("e-shop")).reach == {}
    await sync.deliveries.release("e-shop", "one", {0: 7})
    assert (await sync.deliveries.progress("e-shop")).reach == {0: 7}
    assert await sync.deliveries.lease("e-shop", "two", 0.05)
    assert await eventually(lambda: sync.deliveries.lease("e-shop", "one", 60))
    with pytest.raises(LostLease):
        await settle(sync, settlement(owner="two"))


async def test_when_the_databases_clock_jumps_ahead_whoever_delivers_keeps_the_channel(sync: Sync) -> None:
    await sync.deliveries.start_over("e-shop", {}, None)
    assert await sync.deliveries.lease("e-shop", "one", 60)
    jumped = [
        {"$set": {"until": {"$subtract": ["$until", 3_600_000]}}}
    ]  # as it stands to a clock that is an hour ahead
    await sync.deliveries.progresses.update_one({"_id": "e-shop"}, jumped)
    for _ in range(3):
        assert not await sync.deliveries.lease("e-shop", "two", 60)
    assert await sync.deliveries.lease("e-shop", "one", 60)


class Hands:
    """A clock that goes when it is told to."""

    at = 0.0

    def monotonic(self) -> float:
        return self.at


async def test_who_takes_over_has_seen_no_renewal_for_as_long_as_a_lease_lasts(
    sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands = Hands()
    monkeypatch.setattr("services.sync.store.deliveries.time", hands)
    await sync.deliveries.start_over("e-shop", {}, None)
    assert await sync.deliveries.lease("e-shop", "one", 60)
    for at in (0.0, 59.0):
        hands.at = at
        assert not await sync.deliveries.lease("e-shop", "two", 5)
    assert await sync.deliveries.lease("e-shop", "one", 60)
    for at in (61.0, 120.0):
        hands.at = at
        assert not await sync.deliveries.lease("e-shop", "two", 5)
    hands.at = 121.0
    assert await sync.deliveries.lease("e-shop", "two", 5)
    assert not await sync.deliveries.lease("e-shop", "one", 60)


async def test_a_channel_that_is_not_registered_cannot_be_held(sync: Sync) -> None:
    assert not await sync.deliveries.lease("nobody", "one", 60)


async def test_trouble_is_shown_until_it_is_over(sync: Sync) -> None:
    await sync.deliveries.start_over("e-shop", {}, None)
    since = now().replace(microsecond=0)
    trouble = Trouble("answered 500", since, since + timedelta(seconds=1))
    await settle(sync, settlement(trouble=trouble))
    assert (await sync.deliveries.progress("e-shop")).trouble == trouble
    await settle(sync, settlement())
    assert (await sync.deliveries.progress("e-shop")).trouble is None
