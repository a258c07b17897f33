"""Views made anew: nobody is shown half of one, and what is shown is newer than all that anybody has."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson
import pytest

from services.sync import main
from services.sync.domain.positions import read_event_id, start_of
from services.sync.handlers.erasing import ChannelErasures
from services.sync.handlers.rebuilding import SPARE, Showing, in_silence
from services.sync.handlers.views import Views
from services.sync.settings import SyncSettings
from services.sync.store.deliveries import key
from services.sync.store.owing import OwedStore
from services.sync.store.rebuilding import MARK, HalfMade, RebuildStore
from shared.contracts.sync import CUSTOMERS, CustomerView
from shared.settings import PlatformSettings
from tests.sync.conftest import Sync, now, received
from tests.sync.delivering import delivered, delivering
from tests.sync.facts import ANNA, BERT, CLEO, NOW, contact, order
from tests.sync.forgetting import erase
from tests.sync.receiver import Receiver
from tests.waiting import eventually

pytestmark = pytest.mark.integration
ID = "019b7a2c-5c00-7d3e-a1b2-0c9d8e7f6a5b"
SHOP = "/channels/e-shop"
Versions = Mapping[str, int | None]


async def pieces(*told: Versions) -> AsyncIterator[Versions]:
    """What stands on the log."""
    for piece in told:
        yield piece


@pytest.fixture
async def store(sync: Sync) -> RebuildStore:
    return RebuildStore(sync.database)


async def anew(sync: Sync, store: RebuildStore, *told: Versions, written: int = 0) -> list[Any]:
    """Anna and Bert come again; what is told of it."""
    await store.begin(written, range(2))
    facts = [received(fact) for fact in (contact(ANNA), order(ANNA), contact(BERT))]
    another = Views(sync.views, sync.trees, now)  # a process of its own, which ends with the rebuild
    await sync.transact(lambda unit: in_silence(another.fold)(unit, facts))
    assert sync.told == []
    heard: list[Any] = []

    async def transact(change: Any) -> Any:
        result = await sync.transact(change)
        heard.extend(sync.told)
        return result

    await Showing(store, transact).show(pieces(*told))
    await sync.tail.look()
    return heard


async def views(sync: Sync) -> dict[str, CustomerView]:
    return {one: CustomerView.model_validate_json(view) for one, view in await sync.views.page("", 10)}


async def test_while_views_are_made_anew_the_service_does_not_start(
    sync: Sync, store: RebuildStore, settings: PlatformSettings
) -> None:
    await store.begin(0, range(2))
    app = main.create(SyncSettings(**settings.model_dump()))
    with pytest.raises(HalfMade, match="rapport rebuild sync"):
        async with app.router.lifespan_context(app):
            pass
    await sync.database["rebuilding"].delete_one({"_id": MARK})
    await store.require_whole()


async def test_each_view_is_told_once_as_it_is_stored_above_all_that_was_told(sync: Sync, store: RebuildStore) -> None:
    await sync.happen(contact(ANNA), contact(CLEO))
    told = await anew(sync, store, {ANNA: 7, BERT: None}, {BERT: 41})
    found = await views(sync)
    assert {view.version for view in found.values()} == {41 + SPARE}
    assert found.keys() == {ANNA, BERT}  # of Cleo nobody has told anything
    assert [(one.topic, one.key.decode()) for one in told] == [(CUSTOMERS.name, one) for one in (ANNA, BERT)]
    assert [CustomerView.model_validate(orjson.loads(one.value)["view"]) for one in told] == list(found.values())
    assert await sync.views.sums() == (2, 1, order().total)
    await sync.happen(order(ANNA, 2))
    assert (await views(sync))[ANNA].version == 42 + SPARE


async def test_versions_that_only_the_database_knows_of_count_too(sync: Sync, store: RebuildStore) -> None:
    await sync.happen(contact(ANNA))
    for number in range(5):
        await sync.happen(order(ANNA, number))
    await anew(sync, store, {ANNA: 2})
    assert (await views(sync))[ANNA].version == 6 + SPARE
    # Broken off when the old views were gone already, and begun again.
    await sync.database["views"].delete_many({})
    await anew(sync, store)
    assert (await views(sync))[ANNA].version == 6 + SPARE
    await sync.database["rebuilding"].delete_many({})
    await sync.database["deliveries"].insert_one({"_id": "x", "channel": "x", "customer": ANNA, "version": 8000})
    await anew(sync, store)
    assert (await views(sync))[ANNA].version == 8000 + SPARE


@pytest.mark.parametrize("lost", [(), ("positions",)])
async def test_a_channel_has_everybody_again_without_being_asked_though_it_said_it_itself(
    sync: Sync, store: RebuildStore, receiver: Receiver, lost: tuple[str, ...]
) -> None:
    _, receiver.secret = await sync.register(url=receiver.url, source=SHOP)
    await sync.happen(contact(ANNA), contact(BERT), origin=SHOP)
    await sync.happen(order(ANNA), order(BERT, 2), origin=SHOP)
    async with delivering(sync.dispatch()):
        await delivered(sync, 4)
    receiver.bodies.clear()
    for collection in lost:
        await sync.database[collection].drop()
    await anew(sync, store)
    async with delivering(sync.dispatch("another")):
        await eventually(lambda: len(receiver.bodies) == 2)
    assert {body["customer_id"]: body["version"] for body in receiver.bodies} == dict.fromkeys((ANNA, BERT), 2 + SPARE)


@pytest.mark.parametrize("place", ["1:", "1:0.15", "1:0.15-1.22"])
async def test_a_client_with_a_place_from_before_meets_everybody_behind_it(
    sync: Sync, store: RebuildStore, place: str
) -> None:
    """Only it knows that place: progress and positions were lost with the database."""
    await anew(sync, store, written=37)
    tails = await sync.views.tails()
    start = start_of(read_event_id(place), 1, {}, tails)
    met = await sync.views.beyond(start, tails, 10)
    assert {one.customer_id for one in met} == {ANNA, BERT}


async def erased(sync: Sync, customer: str) -> None:
    await sync.database["erased"].insert_one({"_id": customer, "erasure": ID, "at": NOW})


async def test_who_was_erased_while_sync_knew_nothing_is_so_for_the_log_and_for_channels(
    sync: Sync, store: RebuildStore, receiver: Receiver
) -> None:
    _, receiver.secret = await sync.register(url=receiver.url)
    await sync.happen(contact(CLEO))
    async with delivering(sync.dispatch()):
        await delivered(sync, 1)
    await erased(sync, CLEO)
    told = await anew(sync, store, {CLEO: 1})
    assert (told[0].topic, told[0].key, told[0].value) == (CUSTOMERS.name, CLEO.encode(), None)
    assert (await views(sync)).keys() == {ANNA, BERT}
    async with delivering(sync.dispatch("another")):
        await eventually(lambda: any(body.get("erased") == ID for body in receiver.bodies))
    [last] = [body for body in receiver.bodies if body.get("erased")]
    assert (last["customer_id"], last["customer"], last["version"]) == (CLEO, {}, 1 + SPARE)


async def test_many_who_were_erased_are_buried_in_pieces(
    sync: Sync, store: RebuildStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.sync.handlers.rebuilding.PIECE", 2)
    many = [f"{ID[:-1]}{last}" for last in range(5)]
    for customer in many:
        await erased(sync, customer)
    told = await anew(sync, store, dict.fromkeys(many, 3))
    assert [(one.key.decode(), one.value) for one in told[:5]] == [(customer, None) for customer in many]
    places = {one.place for one in await sync.views.these(many)}
    assert len(places) == len(many)


@pytest.mark.parametrize("told", [[{CLEO: 1, ANNA: 2}, {CLEO: None}], [{CLEO: None}], [{BERT: 1}]])
async def test_who_has_a_tombstone_gets_no_other_one(sync: Sync, store: RebuildStore, told: list[Versions]) -> None:
    await erased(sync, CLEO)
    assert {one.key.decode() for one in await anew(sync, store, *told)} == {ANNA, BERT}
    assert await sync.database["views"].find_one({"_id": CLEO}) is None


async def test_the_last_versions_of_the_erased_stay_where_they_are(sync: Sync, store: RebuildStore) -> None:
    await sync.happen(contact(CLEO))
    await sync.database["views"].update_one({"_id": CLEO}, {"$set": {"erased": ID}})
    before = await sync.database["views"].find_one({"_id": CLEO})
    await erased(sync, CLEO)
    assert CLEO.encode() not in [one.key for one in await anew(sync, store, {CLEO: 1})]
    assert await sync.database["views"].find_one({"_id": CLEO}) == before


async def test_a_channel_that_has_still_to_erase_somebody_is_told_again_and_its_answer_counts(
    sync: Sync, store: RebuildStore, receiver: Receiver
) -> None:
    """Contacts knows that it owes the receipt; whatever else there was is lost."""
    debts = OwedStore(sync.database)
    await debts.prepare()
    _, receiver.secret = await sync.register(url=receiver.url)
    for _ in range(2):
        await store.owe(ID, "e-shop", [CLEO], NOW)
    await anew(sync, store)
    erasures = ChannelErasures(debts, sync.deliveries, sync.channels.kind_of, sync.transact, now)
    await erasures.look()
    assert await sync.database["channel_erasures"].count_documents({"done_at": None}) == 1
    async with delivering(sync.dispatch()):

        async def acknowledged() -> bool:
            await erasures.look()
            return await sync.database["channel_erasures"].find_one({"done_at": None}) is None

        await eventually(acknowledged)
    assert [body["customer_id"] for body in receiver.bodies if body.get("erased") == ID] == [CLEO]
    assert {one.customer_id for one in await sync.views.these([ANNA, BERT, CLEO])} == {ANNA, BERT, CLEO}


async def test_a_channel_owes_no_more_after_a_rebuild_than_it_did_before(sync: Sync, store: RebuildStore) -> None:
    """It was sent Anna, and never Bert, whose last version it has passed: nobody would ever send it that one."""
    await OwedStore(sync.database).prepare()
    await sync.register(channel_id="desk", kind="sse")
    await sync.happen(contact(ANNA), contact(BERT))
    sent = {"_id": key("desk", ANNA), "channel": "desk", "customer": ANNA, "version": 1, "retry": None}
    await sync.database["deliveries"].insert_one(sent)
    await erase(sync, ANNA, BERT)
    await store.owe(ID, "desk", [ANNA, BERT], NOW)
    assert [row["customer"] async for row in sync.database["deliveries"].find({})] == [ANNA]


async def test_what_is_folded_in_silence_tells_all_but_views(sync: Sync) -> None:
    """A dead letter is one whoever folds."""
    refused: list[Any] = []

    async def fold(unit: Any) -> None:
        await in_silence(sync.fold)(unit, [received(order(ANNA)), received(order(ANNA, 2, currency="EUR"))])
        refused.extend(unit.rejected)

    await sync.transact(fold)
    assert sync.told == []
    assert len(refused) == 1
