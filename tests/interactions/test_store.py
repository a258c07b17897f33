"""What the stores promise, asked of the real ones and of those that the other tests use in their place."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pymongo.errors import DuplicateKeyError

from services.interactions.domain import Batch, Entry, Tally
from services.interactions.handlers.dead_letters import Kept, Selection
from services.interactions.store import DeadLetterStore, HistoryStore
from shared import mongo
from shared.contracts.fact import Reason
from shared.messaging.dead_letters import read
from shared.mongo import Database
from shared.settings import PlatformSettings
from tests.interactions.facts import ANNA, BEN, NOON, SHOP, interaction, sale
from tests.interactions.memory import HistoryInMemory, LettersInMemory
from tests.interactions.units import dead_letter

History = HistoryStore | HistoryInMemory
Letters = DeadLetterStore | LettersInMemory


def entries(*facts: Any, customer_id: str = ANNA, source: str = SHOP, start: int = 0) -> list[Entry]:
    batch = Batch((), ())
    for number, fact in enumerate(facts, start):
        batch.take(fact, source=source, event_id=f"e-{number}", customer_id=customer_id)
    return batch.entries


def letter(
    number: int, *, reason: Reason = Reason.MALFORMED, handler: str = "interactions", size: int = 10, minutes: int = 0
) -> Kept:
    moment = NOON + timedelta(minutes=minutes)
    dead = read(dead_letter(b"x" * size, reason=reason, handler=handler, offset=number, key=None).record)
    return Kept(f"{number:032x}", dead, moment, "/channels/x", None, f"e-{number}", size)


class HistoryPromises:
    """What every history store promises."""

    async def test_what_is_added_reads_back_as_it_was(self, store: History) -> None:
        lines = [
            {"product": "P", "quantity": "2.5", "value": "0.000001", "discounts": {"coupon": "1.50"}},
            {"product": "Q", "quantity": "0", "value": "999999999.99"},
        ]
        told = entries(
            sale("O-1", lines=lines, store="S-7"),
            interaction("visit", summary="long", attributes={"a.b": 1.5, "c": None}, campaign="spring"),
            interaction(),
        )
        await store.add(told, None)
        assert [await store.entry(entry.name) for entry in told] == told
        assert await store.entry("nobody") is None

    async def test_known_are_only_those_that_were_added(self, store: History) -> None:
        told = entries(sale("O-1"), interaction())
        await store.add(told, None)
        names = {entry.name for entry in told}
        assert await store.known_names(names | {"other"}, None) == names
        asked = {(SHOP, "O-1"), (SHOP, "O-2"), ("/channels/other", "O-1")}
        assert await store.known_orders(asked, None) == {(SHOP, "O-1")}

    async def test_an_order_is_found_by_its_channels_number(self, store: History) -> None:
        [order] = entries(sale("O-1"))
        await store.add([order], None)
        assert await store.order_by_number(SHOP, "O-1") == order
        assert await store.order_by_number(SHOP, "O-2") is None

    async def test_figures_are_the_exact_sum_of_all_that_was_counted(self, store: History) -> None:
        assert await store.figures() == Tally()
        await store.count("inbound:0", Tally(interactions=1, orders=2, total=Decimal("0.1"), duplicates=3), None)
        await store.count("inbound:0", Tally(orders=1, total=Decimal("0.2"), duplicate_orders=4), None)
        await store.count("inbound:1", Tally(orders=1, total=Decimal("1000000000000000.000001")), None)
        total = Decimal("1000000000000000.300001")
        assert await store.figures() == Tally(1, 4, total, 3, 4)

    async def test_a_customers_entries_come_newest_first_page_by_page(self, store: History) -> None:
        at = [NOON + timedelta(minutes=minute) for minute in (3, 1, 2, 2, 2)]
        mine = entries(*(interaction(occurred_at=moment) for moment in at), sale(ordered_at=NOON + timedelta(hours=1)))
        await store.add(mine, None)
        await store.add(entries(interaction(), customer_id=BEN, start=50), None)
        pages: list[Entry] = []
        after = None
        while page := await store.of_customer(ANNA, kind=None, after=after, limit=2):
            assert len(page) <= 2
            pages += page
            after = (page[-1].at, page[-1].name)
        assert pages == sorted(mine, key=lambda entry: (entry.at, entry.name), reverse=True)
        assert [entry.kind for entry in await store.of_customer(ANNA, kind="order", after=None, limit=9)] == ["order"]

    async def test_all_entries_are_paged_by_id(self, store: History) -> None:
        mine = entries(interaction(), interaction(), sale(), interaction("visit"))
        await store.add(mine, None)
        by_id = sorted(mine, key=lambda entry: entry.name)
        first = await store.all(kind=None, after=None, limit=3)
        assert [*first, *await store.all(kind=None, after=first[-1].name, limit=3)] == by_id
        assert [entry.kind for entry in await store.all(kind="visit", after=None, limit=3)] == ["visit"]

    async def test_all_orders_are_paged_by_channel_and_number(self, store: History) -> None:
        a = entries(sale("2"), sale("1"), interaction(), source="/channels/a")
        b = entries(sale("1"), source="/channels/b")
        await store.add([*b, *a], None)
        first = await store.orders(after=None, limit=2)
        rest = await store.orders(after=("/channels/a", "2"), limit=2)
        told = [(entry.fact.channel, entry.order) for entry in [*first, *rest]]
        assert told == [("/channels/a", "1"), ("/channels/a", "2"), ("/channels/b", "1")]


class LettersPromises:
    """What every store of dead letters promises."""

    async def test_a_dead_letter_reads_back_as_it_was(self, shelf: Letters) -> None:
        told = letter(1)
        await shelf.keep([told], None)
        await shelf.keep([letter(1, size=3)], None)
        assert await shelf.letter(told.id) == told
        assert await shelf.letter("0" * 32) is None

    async def test_a_list_of_dead_letters_shows_no_bodies(self, shelf: Letters) -> None:
        await shelf.keep([letter(1)], None)
        [listed] = await shelf.page(Selection(), status=None, after=None, limit=9)
        assert (listed.size, listed.letter.value, listed.letter.key, listed.letter.headers) == (10, None, None, [])

    async def test_dead_letters_are_listed_newest_first_by_reason_handler_and_status(self, shelf: Letters) -> None:
        told = [letter(1), letter(2, reason=Reason.EMPTY), letter(3, handler="contacts"), letter(4, minutes=1)]
        await shelf.keep(told, None)
        await shelf.mark_replayed([told[0].id], NOON, "ann", None)

        async def ids(selection: Selection, status: str | None = None, limit: int = 9, after: Any = None) -> list[int]:
            return [int(kept.id, 16) for kept in await shelf.page(selection, status=status, after=after, limit=limit)]

        assert await ids(Selection()) == [4, 3, 2, 1]
        assert await ids(Selection(), limit=2, after=(NOON, told[2].id)) == [2, 1]
        assert await ids(Selection(reason=Reason.EMPTY)) == [2]
        assert await ids(Selection(handler="interactions"), "open") == [4, 2]
        assert await ids(Selection(), "replayed") == [1]
        assert await shelf.by_reason(None) == {"empty": 1, "malformed": 3}
        assert await shelf.by_reason("open") == {"empty": 1, "malformed": 2}
        assert await shelf.count_open(Selection(kept_until=NOON)) == 2

    async def test_a_replay_takes_the_oldest_that_fit(self, shelf: Letters) -> None:
        told = [letter(n, size=size, minutes=n) for n, size in enumerate((60, 30, 30, 10))]
        await shelf.keep(list(reversed(told)), None)

        async def fit(most: int, most_bytes: int) -> int:
            return len(await shelf.open_ids(Selection(), most=most, most_bytes=most_bytes, session=None))

        assert [await fit(9, 1), await fit(9, 90), await fit(9, 1000), await fit(2, 1000)] == [1, 2, 4, 2]
        replayed = (NOON + timedelta(hours=1), "ann")
        await shelf.mark_replayed([told[0].id], *replayed, None)
        kept = await shelf.letter(told[0].id)
        assert kept
        assert (kept.replayed_at, kept.replayed_by) == replayed
        assert await shelf.open_ids(Selection(), most=1, most_bytes=1, session=None) == [told[1].id]
        assert [each.id for each in await shelf.letters([told[2].id, told[1].id], None)] == [told[1].id, told[2].id]


class TestHistoryInMemory(HistoryPromises):
    @pytest.fixture
    def store(self) -> History:
        return HistoryInMemory()


class TestLettersInMemory(LettersPromises):
    @pytest.fixture
    def shelf(self) -> Letters:
        return LettersInMemory()


@pytest.fixture
async def database(settings: PlatformSettings) -> AsyncIterator[Database]:
    client = mongo.connect(settings)
    database = client[f"{settings.namespace}rapport_interactions"]
    yield database
    await client.drop_database(database.name)
    await mongo.close(client)


@pytest.mark.integration
class TestHistoryInMongo(HistoryPromises):
    @pytest.fixture
    async def store(self, database: Database) -> History:
        store = HistoryStore(database)
        await store.prepare()
        return store

    async def test_a_second_order_of_the_same_number_is_refused_by_the_database_itself(
        self, store: History, database: Database
    ) -> None:
        await store.add(entries(sale("O-1")), None)
        with pytest.raises(DuplicateKeyError):
            await database.history.insert_one({"_id": "x", "channel": SHOP, "order": "O-1"})

    async def test_orders_are_found_through_their_index(self, store: History, database: Database) -> None:
        await store.add(entries(sale("O-1")), None)
        for wanted in ({"$or": [{"channel": SHOP, "order": {"$in": ["O-1", "O-2"]}}]}, {"order": {"$exists": True}}):
            plan = await database.history.find(wanted).sort([("channel", 1), ("order", 1)]).explain()
            winner = str(plan["queryPlanner"]["winningPlan"])
            assert "orders_by_number" in winner
            assert "COLLSCAN" not in winner


@pytest.mark.integration
class TestLettersInMongo(LettersPromises):
    @pytest.fixture
    async def shelf(self, database: Database) -> Letters:
        shelf = DeadLetterStore(database)
        await shelf.prepare()
        return shelf
