"""One service's part of an erasure, on a real database: emptied in pieces, twice, and receipted once."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared import mongo
from shared.contracts.contacts import ContactErased
from shared.contracts.erasures import ErasureDone
from shared.erasing import Delete, Erasing, Terms, Work, by, one_of
from shared.erasing.steps import PIECE
from shared.erasing.tombstones import Tombstones
from shared.messaging import Unit
from shared.messaging.outbox import Told
from shared.mongo import Client, Database
from shared.settings import PlatformSettings
from tests.sync.conftest import received
from tests.sync.facts import ANNA, BERT, customer, order

pytestmark = pytest.mark.integration
ID = "019b7a2c-5c00-7d3e-a1b2-0c9d8e7f6a5b"
NOW = datetime.now(UTC)
ERASED = ContactErased(erasure_id=ID, customers=[ANNA, BERT], requested_at=NOW, deadline=NOW + timedelta(days=30))
STEPS = (Delete("people"), Delete("notes", by("customer")), Delete("lines", one_of(":")))


class Transactions:
    """Real ones, whose events are kept instead of told."""

    def __init__(self, client: Client, database: Database) -> None:
        self.client = client
        self.database = database
        self.told: list[Any] = []

    async def transact(self, change: Callable[[Unit], Awaitable[Any]]) -> Any:
        units: list[Unit] = []

        async def attempt(session: mongo.Session) -> Any:
            units.append(Unit("test", self.database, session))
            return await change(units[-1])

        result = await mongo.transaction(self.client, attempt)
        self.told += units[-1].outgoing
        return result

    def receipts(self) -> list[ErasureDone]:
        return [ErasureDone.model_validate_json(one.value) for one in self.told if isinstance(one, Told)]


@pytest.fixture
async def transactions(settings: PlatformSettings) -> AsyncIterator[Transactions]:
    client = mongo.connect(settings)
    database = client[f"{settings.namespace}rapport_test"]
    await mongo.ensure_collections(database, ["people", "notes", "lines", "idempotency"])
    yield Transactions(client, database)
    await client.drop_database(database.name)
    await mongo.close(client)


async def erasing(transactions: Transactions, settle: timedelta = timedelta(0)) -> Erasing:
    one = Erasing("test", transactions.database, transactions, STEPS, Terms(settle))
    await one.prepare()
    return one


async def hear(one: Erasing, transactions: Transactions, *customers: str) -> None:
    events = [received(ERASED, subject=customer) for customer in customers]
    await transactions.transact(lambda unit: one.beside(nobody)(unit, events))


async def nobody(unit: Unit, events: Any) -> None:
    raise AssertionError(f"nobody else is meant: {events}")


async def filled(database: Database) -> None:
    await database["people"].insert_many([{"_id": ANNA}, {"_id": BERT}, {"_id": "other"}])
    await database["notes"].insert_many([{"customer": ANNA} for _ in range(PIECE + 3)] + [{"customer": "other"}])
    await database["lines"].insert_many([{"_id": f"{BERT}:1"}, {"_id": f"{BERT}:2"}, {"_id": f"{BERT}0:1"}])


async def counts(database: Database) -> list[int]:
    return [await database[name].count_documents({}) for name in ("people", "notes", "lines")]


async def test_what_is_of_the_erased_is_removed_and_nothing_else(transactions: Transactions) -> None:
    await filled(transactions.database)
    one = await erasing(transactions)
    await hear(one, transactions, ANNA, BERT)
    await one.look()
    assert await counts(transactions.database) == [1, 1, 1]
    assert transactions.receipts() == []
    await one.look()
    [receipt] = transactions.receipts()
    assert (receipt.place, receipt.removed) == ("test", {"people": 2, "notes": PIECE + 3, "lines": 2})
    await one.look()
    assert len(transactions.receipts()) == 1


async def test_what_was_under_way_is_found_by_the_second_look(transactions: Transactions) -> None:
    one = await erasing(transactions)
    await hear(one, transactions, ANNA, BERT)
    await one.look()
    await transactions.database["notes"].insert_one({"customer": BERT})  # as a transaction that knew nothing of it
    await one.look()
    assert await counts(transactions.database) == [0, 0, 0]
    [receipt] = transactions.receipts()
    assert receipt.removed == {"notes": 1}


async def test_there_is_no_receipt_before_all_of_it_was_heard_and_has_settled(transactions: Transactions) -> None:
    patient, quick = await erasing(transactions, timedelta(hours=1)), await erasing(transactions)
    await hear(quick, transactions, ANNA)
    for one in (quick, quick, patient):
        await one.look()
    assert transactions.receipts() == []
    await hear(quick, transactions, BERT)
    for one in (patient, patient):
        await one.look()
    assert transactions.receipts() == []
    await quick.look()
    assert len(transactions.receipts()) == 1


async def test_what_was_heard_while_the_servers_clock_was_ahead_does_not_wait_until_then(
    transactions: Transactions,
) -> None:
    one = await erasing(transactions)
    await hear(one, transactions, ANNA, BERT)
    ahead = datetime.now(UTC) + timedelta(hours=1)
    await transactions.database["erasing"].update_one({"_id": ID}, {"$set": {"heard_at": ahead, "emptied_at": ahead}})
    for _ in range(2):  # emptied anew, and receipted
        await one.look()
    assert len(transactions.receipts()) == 1


async def test_several_instances_tell_one_receipt(transactions: Transactions) -> None:
    await filled(transactions.database)
    instances = [await erasing(transactions) for _ in range(3)]
    await hear(instances[0], transactions, ANNA, BERT)
    for _ in range(2):
        for one in instances:
            await one.look()
    [receipt] = transactions.receipts()
    assert receipt.removed["notes"] == PIECE + 3


async def test_what_is_told_of_the_erased_afterwards_nobody_hears(transactions: Transactions) -> None:
    one, other = await erasing(transactions), await erasing(transactions)
    heard: list[str] = []

    async def keep(unit: Unit, events: Any) -> None:
        heard.extend(event.subject for event in events)

    late = [received(order(ANNA)), received(order(customer(1)))]
    await transactions.transact(lambda unit: one.beside(keep)(unit, [received(ERASED, subject=ANNA), *late]))
    await transactions.transact(lambda unit: other.beside(keep)(unit, late))
    assert heard == [customer(1), ANNA, customer(1)]  # the other instance has not looked yet
    await other.look()
    heard.clear()
    await transactions.transact(lambda unit: other.beside(keep)(unit, late))
    assert heard == [customer(1)]


async def test_tombstones_say_by_which_erasure_and_are_known_to_whoever_starts_later(
    transactions: Transactions,
) -> None:
    one = await erasing(transactions)
    assert not one.tombstones.among([ANNA])
    await hear(one, transactions, ANNA, BERT)
    forgotten: list[set[str]] = []
    later = Tombstones(transactions.database, lambda customers: forgotten.append(set(customers)))
    for _ in range(2):
        await later.prepare()
    assert forgotten == [{ANNA, BERT}]
    assert set(later.among([ANNA, "other"])) == {ANNA}
    assert await later.erasure_of(BERT, None) == ID
    assert await later.erasure_of("other", None) is None


async def test_a_tombstone_from_a_clock_that_was_ahead_hides_none_that_comes_after_it(
    transactions: Transactions,
) -> None:
    written, known = Tombstones(transactions.database), Tombstones(transactions.database)
    await known.prepare()
    await written.put([ANNA], ID, datetime.now(UTC) + timedelta(hours=1), None)
    await known.look()
    await written.put([BERT], ID, datetime.now(UTC), None)
    await known.look()
    assert set(known.among([ANNA, BERT])) == {ANNA, BERT}


class Broken:
    """A step that fails for one erasure."""

    collections = ("broken",)

    def __init__(self, erasure_id: str) -> None:
        self.erasure_id: str | None = erasure_id

    async def begin(self, work: Work) -> None:
        if work.erasure_id == self.erasure_id:
            raise OSError("a neighbour is away")

    async def piece(self, unit: Unit, work: Work) -> int:
        return 0


async def test_an_erasure_that_fails_keeps_no_other_waiting_and_is_tried_again(transactions: Transactions) -> None:
    other = ERASED.model_copy(update={"erasure_id": customer(2), "customers": [customer(3)]})
    broken = Broken(ID)
    one = Erasing("test", transactions.database, transactions, [broken, *STEPS], Terms(timedelta(0)))
    await one.prepare()
    await hear(one, transactions, ANNA, BERT)
    await transactions.transact(lambda unit: one.hear(unit, [received(other, subject=customer(3))]))
    await transactions.database["people"].insert_many([{"_id": ANNA}, {"_id": customer(3)}])
    for _ in range(2):
        await one.look()
    assert [receipt.erasure_id for receipt in transactions.receipts()] == [customer(2)]
    broken.erasure_id = None
    for _ in range(2):
        await one.look()
    assert {receipt.erasure_id for receipt in transactions.receipts()} == {ID, customer(2)}
    assert await transactions.database["people"].count_documents({}) == 0
