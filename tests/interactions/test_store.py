"""What the stores promise, asked of the real ones and of those that the other tests use in their place."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pymongo.errors import DuplicateKeyError

from services.interactions.domain import Batch, Cancellation, Entry, Event, Return, Tally
from services.interactions.handlers.dead_letters import Kept, Selection
from services.interactions.store import DeadLetterStore, HistoryStore
from shared import mongo
from shared.contracts.channels import CancellationReported, SaleReported
from shared.contracts.fact import Reason
from shared.contracts.interactions import OrderCancelled, OrderReturned
from shared.messaging.dead_letters import read
from shared.mongo import Database, Session
from shared.settings import PlatformSettings
from tests.interactions.facts import ANNA, BEN, NOON, SHOP, cancelled, contract, interaction, returned, sale
from tests.interactions.memory import HistoryInMemory, LettersInMemory
from tests.interactions.units import dead_letter

History = HistoryStore | HistoryInMemory
Letters = DeadLetterStore | LettersInMemory


def entries(*facts: Any, customer_id: str = ANNA, source: str = SHOP, start: int = 0) -> list[Entry]:
    batch = Batch((), {})
    for number, fact in enumerate(facts, start):
        batch.take(fact, Event(source, f"e-{number}", f"c-{number}", NOON), customer_id)
    return batch.entries


async def recorded(store: History, *facts: Any, start: int = 0, meanwhile: Any = None, session: Any = None) -> None:
    """What recording does with a batch. `meanwhile` is awaited after all has been looked up."""
    events = [Event(SHOP, f"e-{number}", f"c-{number}", NOON) for number in range(start, start + len(facts))]
    numbers = [(SHOP, fact.order) for fact in facts]
    names, orders = await store.known([event.name for event in events], numbers, session)
    if meanwhile:
        await meanwhile()
    batch = Batch(names, orders)
    for fact, event in zip(facts, events, strict=True):
        batch.take(fact, event, ANNA)
    if batch.changes:
        await store.change(batch.changes, session)
    if batch.entries:
        await store.add(batch.entries, session)


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
            {"product": "Q", "quantity": "0", "value": "999999999.99", "category": "wine", "cost": "0"},
        ]
        told = entries(
            sale("O-1", lines=lines, store="S-7", payment="card", parcels=0),
            interaction("visit", summary="long", attributes={"a.b": 1.5, "c": None}, campaign="spring"),
            interaction(minutes="12.5"),
            contract("cancelled", reason="price"),
            contract("renewed", price="19.9", currency="USD"),
        )
        await store.add(told, None)
        assert [await store.entry(entry.name) for entry in told] == told
        assert await store.entry("nobody") is None

    async def test_known_are_only_those_that_were_added(self, store: History) -> None:
        told = entries(sale("O-1"), interaction())
        await store.add(told, None)
        names = {entry.name for entry in told}
        asked = {(SHOP, "O-1"), (SHOP, "O-2"), ("/channels/other", "O-1")}
        known, orders = await store.known(names | {"other"}, asked, None)
        assert (known, set(orders)) == (names, {(SHOP, "O-1")})

    async def test_names_and_orders_are_known_each_for_what_was_asked(self, store: History) -> None:
        """A name may be an order's that nobody asks for, and an order one whose name is new."""
        [order, call] = entries(sale("O-1"), interaction())
        await store.add([order, call], None)
        assert await store.known({order.name, call.name}, set(), None) == ({order.name, call.name}, {})
        assert await store.known({order.name}, {(SHOP, "O-2")}, None) == ({order.name}, {})
        names, orders = await store.known({"new"}, {(SHOP, "O-1")}, None)
        assert not names
        assert set(orders) == {(SHOP, "O-1")}
        assert await store.known(set(), set(), None) == (set(), {})

    async def test_what_waits_and_is_told_again_with_its_order_is_known_as_both(self, store: History) -> None:
        await recorded(store, returned("O-1", "R-1", "4"))
        name = Event(SHOP, "e-0", "", NOON).name
        names, orders = await store.known({name}, {(SHOP, "O-1")}, None)
        assert (names, orders[SHOP, "O-1"].kept) == ({name}, 1)
        assert await store.known({name}, set(), None) == ({name}, {})

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
        more = Tally(returns=2, returned=Decimal("0.25"), cancelled=1, duplicate_returns=3, duplicate_cancellations=4)
        await store.count("inbound:1", more, None)
        await store.count("inbound:2", Tally(orders=-1, total=Decimal("-0.05"), waiting=-1), None)
        await store.count("inbound:3", Tally(waiting=2), None)
        total = Decimal("1000000000000000.250001")
        assert await store.figures() == Tally(1, 3, total, 3, 4, 2, Decimal("0.25"), 1, 3, 4, 1)

    async def test_an_order_shows_what_became_of_it_and_so_does_the_history(self, store: History) -> None:
        story = [sale("O-1", "10"), returned("O-1", "R-1", "4"), cancelled("O-1", reason="unpaid")]
        await recorded(store, *story)
        await recorded(store, sale("O-2", "8"), start=10)
        await recorded(store, returned("O-2", "R-2", "3"), start=11)
        await recorded(store, returned("O-2", "R-3", "0"), cancelled("O-2"), start=12)
        for number, money in (("O-1", "4"), ("O-2", "3")):
            order = await store.order_by_number(SHOP, number)
            assert order
            assert (order.returned, order.cancelled_at, order.kind) == (Decimal(money), NOON, "order")
            assert await store.entry(order.name) == order
        history = await store.of_customer([ANNA], kind=None, after=None, limit=99)
        assert Counter(entry.kind for entry in history) == {"order": 2, "order-return": 3, "order-cancellation": 2}
        assert [await store.entry(entry.name) for entry in history] == history
        [void] = [entry for entry in history if entry.kind == "order-cancellation" and entry.order == "O-1"]
        assert isinstance(void.fact, OrderCancelled)
        assert (void.fact.total, void.fact.reason) == (Decimal(6), "unpaid")
        assert [entry.number for entry in history if entry.kind == "order-return"].count("R-3") == 1
        assert [entry.order for entry in await store.orders(after=None, limit=9)] == ["O-1", "O-2"]

    async def test_where_an_order_stands_is_known_to_the_next_batch(self, store: History) -> None:
        await recorded(store, sale("O-1", "10", payment="card", parcels=2), returned("O-1", "R-1", "4"))
        await recorded(store, sale("O-2", "10"), start=10)
        await recorded(store, cancelled("O-2"), start=20)
        _, known = await store.known((), [(SHOP, "O-1"), (SHOP, "O-2"), (SHOP, "O-3")], None)
        assert known.keys() == {(SHOP, "O-1"), (SHOP, "O-2")}
        first, second = known[SHOP, "O-1"], known[SHOP, "O-2"]
        assert (first.returned, first.cancelled_at, second.returned, second.cancelled_at) == (
            Decimal(4), None, Decimal(0), NOON,
        )  # fmt: skip
        assert first.placed
        assert (first.placed.customer_id, first.placed.ordered_at, first.placed.total) == (
            ANNA, NOON, Decimal(10),
        )  # fmt: skip
        assert (first.placed.payment, first.placed.parcels) == ("card", 2)
        assert [(line.product, line.value) for line in first.placed.lines] == [("P-0", Decimal(10))]

    async def test_what_is_back_on_the_shelf_stands_with_the_order_whatever_came_first(self, store: History) -> None:
        lines = [{"product": "P-0", "quantity": "3", "value": "10", "discounts": {"coupon": "1"}, "cost": "4"}]
        await recorded(store, returned("O-1", "R-1", restocked="1"))
        await recorded(store, sale("O-1", lines=lines), start=1)
        await recorded(store, returned("O-1", "R-2", restocked="0.5"), start=2)
        order = await store.order_by_number(SHOP, "O-1")
        standing = (await store.known((), [(SHOP, "O-1")], None))[1][SHOP, "O-1"]
        assert order
        assert order.restocked == standing.restocked
        (first,), (second,) = (one.lines for one in order.restocked)
        assert (first.quantity, first.value, first.cost) == (Decimal(1), Decimal("3.333333"), Decimal("1.333333"))
        assert (second.quantity, second.value, second.cost) == (
            Decimal("0.5"),
            Decimal("1.666667"),
            Decimal("0.666667"),
        )
        assert second.discounts.coupon == Decimal("0.166667")
        [back] = [e for e in await store.all(kind="order-return", after=None, limit=9) if e.number == "R-2"]
        assert isinstance(back.fact, OrderReturned)
        assert back.fact.lines[0].restocked == Decimal("0.5")

    async def test_an_awaited_order_is_nowhere_to_be_seen_and_what_waits_is_kept(self, store: History) -> None:
        await recorded(store, returned("O-1", "R-1", "4"))
        await recorded(store, cancelled("O-1", reason="unpaid"), start=1)
        names = {Event(SHOP, f"e-{number}", "", NOON).name for number in range(2)}
        assert (await store.known(names, (), None))[0] == names
        assert await store.known_returns([(SHOP, "R-1"), (SHOP, "R-2")], None) == {(SHOP, "R-1")}
        assert [await store.entry(name) for name in names] == [None, None]
        assert await store.order_by_number(SHOP, "O-1") is None
        assert await store.orders(after=None, limit=9) == await store.all(kind=None, after=None, limit=9) == []
        assert await store.all(kind="order-return", after=None, limit=9) == []
        standing = (await store.known((), [(SHOP, "O-1")], None))[1][SHOP, "O-1"]
        back, void = standing.waiting
        assert (standing.placed, standing.kept, standing.returned, standing.cancelled_at) == (
            None, 2, Decimal(4), NOON,
        )  # fmt: skip
        assert isinstance(back, Return)
        assert (back.event, back.total, back.lines[0].product) == (
            Event(SHOP, "e-0", "c-0", NOON), Decimal(4), "P-0",
        )  # fmt: skip
        assert void == Cancellation(Event(SHOP, "e-1", "c-1", NOON), "O-1", NOON, "unpaid")

    async def test_when_the_order_comes_all_of_it_is_history(self, store: History) -> None:
        await recorded(store, returned("O-1", "R-1", "4"), cancelled("O-1"))
        await recorded(store, sale("O-1", "10"), start=2)
        order = await store.order_by_number(SHOP, "O-1")
        assert order
        assert (order.returned, order.cancelled_at) == (Decimal(4), NOON)
        everything = await store.all(kind=None, after=None, limit=9)
        assert {entry.kind for entry in everything} == {"order", "order-return", "order-cancellation"}
        assert await store.orders(after=None, limit=9) == [order]
        standing = (await store.known((), [(SHOP, "O-1")], None))[1][SHOP, "O-1"]
        assert (standing.waiting, standing.kept) == ((), 0)
        assert await store.known_returns([(SHOP, "R-1")], None) == {(SHOP, "R-1")}

    async def test_a_customers_entries_come_newest_first_page_by_page(self, store: History) -> None:
        at = [NOON + timedelta(minutes=minute) for minute in (3, 1, 2, 2, 2)]
        mine = entries(*(interaction(occurred_at=moment) for moment in at), sale(ordered_at=NOON + timedelta(hours=1)))
        await store.add(mine, None)
        await store.add(entries(interaction(), customer_id=BEN, start=50), None)
        pages: list[Entry] = []
        after = None
        while page := await store.of_customer([ANNA], kind=None, after=after, limit=2):
            assert len(page) <= 2
            pages += page
            after = (page[-1].at, page[-1].name)
        assert pages == sorted(mine, key=lambda entry: (entry.at, entry.name), reverse=True)
        assert [entry.kind for entry in await store.of_customer([ANNA], kind="order", after=None, limit=9)] == ["order"]

    async def test_entries_of_several_who_are_one_come_in_one_order(self, store: History) -> None:
        told: list[Entry] = []
        for n, customer in enumerate((ANNA, BEN, ANNA, BEN)):
            told += entries(interaction(occurred_at=NOON + timedelta(minutes=n)), customer_id=customer, start=n)
        await store.add(told, None)
        first = await store.of_customer([ANNA, BEN], kind=None, after=None, limit=3)
        rest = await store.of_customer([ANNA, BEN], kind=None, after=(first[-1].at, first[-1].name), limit=3)
        assert [*first, *rest] == told[::-1]

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

    async def test_a_second_return_of_the_same_number_is_refused_by_the_database_itself(
        self, store: History, database: Database
    ) -> None:
        for waiting in ("R-1", "R-2"):
            await recorded(store, returned("O-1", waiting), start=int(waiting[-1]))
            with pytest.raises(DuplicateKeyError):
                await database.history.insert_one({"_id": "x", "channel": SHOP, "return": waiting})

    @pytest.mark.parametrize("first", [0, 1])
    @pytest.mark.parametrize(
        ("before", "pair"),
        [
            ((), (sale("O-1", "10"), returned("O-1", "R-1", "4"))),
            ((), (returned("O-1", "R-2", "0"), returned("O-1", "R-1", "4"))),
            ((cancelled("O-1"),), (sale("O-1", "10"), returned("O-1", "R-1", "4"))),
            ((sale("O-1", "10"),), (returned("O-1", "R-1", "0"), cancelled("O-1"))),
        ],
        ids=["order and return", "two returns", "order that is awaited and return", "return and cancellation"],
    )
    async def test_of_two_transactions_about_one_order_one_sees_the_other(
        self, database: Database, before: tuple[Any, ...], pair: tuple[Any, Any], first: int
    ) -> None:
        """The one looks up, then the other is done with everything, then the one goes on."""
        store = HistoryStore(database)
        await store.prepare()
        if before:
            await recorded(store, *before, start=10)
        attempts = 0

        async def meanwhile() -> None:
            nonlocal attempts
            attempts += 1
            if attempts == 1:
                await mongo.transaction(
                    database.client, lambda session: recorded(store, pair[1 - first], start=1 - first, session=session)
                )

        async def change(session: Session) -> None:
            await recorded(store, pair[first], start=first, meanwhile=meanwhile, session=session)

        await mongo.transaction(database.client, change)
        assert attempts == 2
        standing = (await store.known((), [(SHOP, "O-1")], None))[1][SHOP, "O-1"]
        placed = any(isinstance(fact, SaleReported) for fact in (*before, *pair))
        assert (standing.placed is not None, bool(standing.waiting)) == (placed, not placed)
        assert bool(standing.cancelled_at) == any(isinstance(fact, CancellationReported) for fact in (*before, *pair))

    async def test_orders_are_found_through_their_index(self, store: History, database: Database) -> None:
        await store.add(entries(sale("O-1")), None)
        here = {"waiting": {"$exists": False}}
        asked: list[dict[str, Any]] = [
            {"$or": [{"channel": SHOP, "order": {"$in": ["O-1", "O-2"]}}]},
            {"channel": SHOP, "order": "O-1", **here},
            {"order": {"$exists": True}, **here},
        ]
        for wanted in asked:
            plan = await database.history.find(wanted).sort([("channel", 1), ("order", 1)]).explain()
            winner = str(plan["queryPlanner"]["winningPlan"])
            assert "orders_by_number" in winner
            assert "COLLSCAN" not in winner

    async def test_returns_are_found_through_their_index(self, store: History, database: Database) -> None:
        await recorded(store, returned("O-1", "R-1"))
        wanted = {"$or": [{"channel": SHOP, "return": {"$in": ["R-1", "R-2"]}}]}
        plan = str((await database.history.find(wanted).explain())["queryPlanner"]["winningPlan"])
        assert "returns_by_number" in plan
        assert "COLLSCAN" not in plan


@pytest.mark.integration
class TestLettersInMongo(LettersPromises):
    @pytest.fixture
    async def shelf(self, database: Database) -> Letters:
        shelf = DeadLetterStore(database)
        await shelf.prepare()
        return shelf
