"""What scoring holds on a customer, in words: nothing packed is left, and nobody else's is in it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from bson import Decimal128

from services.scoring.domain.behaviour import Behaviour, Doing
from services.scoring.domain.contracts.facts import ContractFact, Contracts, Kind as ContractKind
from services.scoring.domain.profit.book import Book, Movement
from services.scoring.domain.profit.kinds import Kind
from services.scoring.domain.purchases import Order, Purchases
from services.scoring.domain.wishes.habits import Basket, Habits
from services.scoring.handlers import Name
from services.scoring.store import MongoNames
from services.scoring.store.held import held
from shared import mongo
from shared.held import HeldPage
from shared.mongo import Database
from shared.settings import PlatformSettings
from tests.links import link
from tests.scoring.events import linked, ordered, restricted
from tests.scoring.instances import ANNA, BERT, Instance
from tests.scoring.orders import on

pytestmark = pytest.mark.integration
ANN, BOB, CLEO = (f"019b7a2c-5c0{n}-7d3e-a1b2-0c9d8e7f6a5b" for n in range(3))
AT = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
DAY = 20_458
"""The fifth of January 2026, counted from 1970."""


@pytest.fixture
async def database(settings: PlatformSettings) -> AsyncIterator[Database]:
    client = mongo.connect(settings)
    yield client[f"{settings.namespace}rapport_scoring"]
    await mongo.close(client)


async def all_of(database: Database, customers: list[str], limit: int = 1) -> dict[str, list[dict[str, Any]]]:
    names = MongoNames(database)
    told: dict[str, list[dict[str, Any]]] = {}
    cursor: str | None = None
    while True:
        page: HeldPage = await held(database, names).page(customers, cursor, limit)
        for item in page.items:
            told.setdefault(item.section, []).append(item.data)
        cursor = page.next
        if cursor is None:
            return told


async def test_purchases_habits_contracts_and_decisions_are_told_in_words(database: Database) -> None:
    names = MongoNames(database)
    await names.prepare()
    coffee, till = Name("product", "coffee"), Name("channel", "/channels/till")
    numbers = await names.numbers([coffee, till])
    days = Purchases.of([Order(AT, Decimal("12.50"))]).pack()
    for customer in (ANN, BOB, CLEO):
        await database["customers"].insert_one(
            {"_id": customer, "days": days, "told": '{"value": "3.50"}', "row": b"xx"}
        )
    movement = Movement("e1", (2026 - 1970) * 12, Kind.SALES, "", told=True, micros=12_500_000)
    facts = [
        ContractFact("C-1", AT, ContractKind.STARTED, "f1", price=9_990_000),
        ContractFact("C-1", AT, ContractKind.MOVED, "f2", "away"),
    ]
    await database["deeds"].insert_one(
        {
            "_id": ANN,
            "products": Habits.once(Basket(DAY, frozenset([numbers[coffee]]))).pack(),
            "channels": Habits.once(Basket(DAY, frozenset([numbers[till]]))).pack(),
            "hours": Habits.once(Basket(DAY, frozenset([9]))).pack(),
            "months": {"672": Book.of([movement]).pack()},
            "contracts": Contracts.of(facts).pack(),
            "behaviour": Behaviour.of([(AT, Doing.COMPLAINT)]).pack(),
        }
    )
    await database["decisions"].insert_one(
        {
            "_id": f"{ANN}:2026-01",
            "at": AT,
            "occasion": "2026-01",
            "words": ["Because"],
            "decision": {"cost": Decimal128("1.5")},
        }
    )
    told = await all_of(database, [BOB, ANN])
    assert {one["customer_id"] for one in told["score"]} == {ANN, BOB}
    assert told["score"][0]["purchases"] == [{"day": "2026-01-05", "orders": 1, "money": "12.50"}]
    assert told["score"][0]["score"] == {"value": "3.50"}
    [deeds] = told["habits"]
    assert deeds["products"] == [{"what": "coffee", "times": 1, "first": "2026-01-05", "last": "2026-01-05"}]
    assert deeds["channels"][0]["what"] == "/channels/till"
    assert deeds["hours"][0]["what"] == "Monday, 9:00"
    assert deeds["profit_by_month"] == [
        {"month": "2026-01", "kind": "sales", "subject": None, "events": 1, "money": "12.50"}
    ]
    assert [(one["what"], one.get("price"), one["reason"]) for one in deeds["contracts"]] == [
        ("started", "9.99", None),
        ("moved", None, "away"),
    ]
    assert deeds["behaviour"] == [{"day": "2026-01-05", "what": "complaint", "times": 1}]
    [decision] = told["decisions"]
    assert (decision["words"], decision["decision"], decision["at"]) == (
        ["Because"],
        {"cost": "1.5"},
        "2026-01-05T09:30:00Z",
    )
    assert CLEO not in repr(told)


async def test_what_came_under_an_id_that_was_merged_into_another_is_told_with_it(database: Database) -> None:
    bought = [Purchases.of([Order(AT, Decimal(amount))]) for amount in (1, 2)]
    own = [{"days": one.pack(), "first": None} for one in bought]
    await database["customers"].insert_many(
        [
            {
                "_id": ANN,
                "days": bought[0].plus(bought[1]).pack(),
                "bond": own[0] | {"merged_into": None, "members": [BOB]},
            },
            {"_id": BOB, "days": b"", "bond": own[1] | {"merged_into": ANN, "members": []}},
        ]
    )
    await database["links"].insert_one({"_id": BOB, "into": ANN, "turn": 1})
    told = await all_of(database, [ANN, BOB])
    assert told["links"] == [{"customer_id": BOB, "merged_into": ANN}]
    figures = [(one["merged_into"], one["with"], one["own_purchases"][0]["money"]) for one in told["score"]]
    assert figures == [(None, [BOB], "1.00"), (ANN, [], "2.00")]
    assert [[day["money"] for day in one["purchases"]] for one in told["score"]] == [["3.00"], []]


async def test_of_whoever_is_restricted_all_is_told_that_is_kept_and_that_it_is_not_used(one: Instance) -> None:
    await one.hear(*(ordered(number, on("2021-03-01", "10")) for number in (0, 1)), linked(link(BERT, ANNA, 1)))
    await one.hear(restricted(0), restricted(1), ordered(1, on("2021-03-05", "0.5")))
    [anna, bert] = (await all_of(one.database, [ANNA, BERT]))["score"]
    assert [(told["restricted"], told["score"], told["purchases"]) for told in (anna, bert)] == [(True, None, [])] * 2
    assert [[day["money"] for day in told["own_purchases"]] for told in (anna, bert)] == [["10.00"], ["10.00", "0.50"]]
    assert anna["own_first_order"]["channel"] == bert["own_first_order"]["channel"] == "shop"
    await one.hear(restricted(0, restricted=False), restricted(1, restricted=False))
    [anna, bert] = (await all_of(one.database, [ANNA, BERT]))["score"]
    assert "restricted" not in anna | bert
    assert anna["score"]["purchases"] == 3


async def test_of_nobody_nothing_is_held(database: Database) -> None:
    assert await all_of(database, [ANN, BOB]) == {}
