"""The bench of growth: copies of documents, what an event must have changed, the table. No platform is measured here."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import bson
import orjson
import pytest

from services.interactions.domain import name_of
from services.scoring.domain.population import changes
from shared.contracts.channels import ContactReported, InteractionReported, SaleReported
from tests.bench.growth import line, of_pages, rows
from tests.bench.growth.forms import Form, Identity, Original, copy, form_of
from tests.bench.growth.measuring import KINDS, Touch, Wrong, check, touches, untouched
from tests.bench.growth.pages import READ, most, of_collection
from tests.bench.growth.people import TILL, contact, deeds, introductions, token
from tests.bench.growth.platform import between
from tests.bench.growth.rebuilding import Rebuilt, difference
from tests.bench.growth.sizes import At

ANN = Identity(17, "019b7a2c-5c00-7d3e-a1b2-0c9d8e7f6a5b", ('{"purpose":"shopping"}',))
BEN = Identity(4_711, "019b7a2c-5c01-7000-8000-000000000001", ('{"purpose":"shopping"}',))
NOW = datetime(2026, 3, 1, tzinfo=UTC)
VIEWS, DELIVERIES, HISTORY = ("sync", "views"), ("sync", "deliveries"), ("interactions", "history")


def a_view(version: int = 3, orders: int = 2, total: str = "30.00", met: int = 1, **told: Any) -> dict[str, Any]:
    who = {"name": f"Customer {token(5)}", "language": None, **told}
    sales = {"orders": orders, "total": total}
    score = {"purchases": orders}
    return {
        "customer_id": ANN.customer_id,
        "version": version,
        "contact": who,
        "sales": sales,
        "interactions": met,
        "score": score,
    }


def copied(place: tuple[str, str], document: dict[str, Any], partition: int = 3, position: int = 70_000) -> Any:
    form = form_of(place, bson.encode(document))
    exchanged = list(zip(ANN.names(), BEN.names(), strict=True))
    return bson.decode(copy(form, exchanged, partition, position).raw)


def test_all_names_of_a_copy_are_as_long_as_those_of_the_original() -> None:
    assert [len(name) for name in ANN.names()] == [len(name) for name in BEN.names()]
    assert not set(ANN.names()) & set(BEN.names())


def test_a_copied_view_is_the_other_customers_at_its_own_place() -> None:
    view = {
        "_id": ANN.customer_id,
        "partition": 0,
        "position": 12,
        "identifiers": [f"bench-card:{token(17)}"],
        "view": orjson.dumps({"customer_id": ANN.customer_id, "name": f"Customer {token(17)}"}).decode(),
    }
    other = copied(VIEWS, view)
    assert (other["_id"], other["partition"], other["position"]) == (BEN.customer_id, 3, 70_000)
    assert other["identifiers"] == [f"bench-card:{token(4_711)}"]
    assert orjson.loads(other["view"]) == {"customer_id": BEN.customer_id, "name": f"Customer {token(4_711)}"}


def test_a_copied_receipt_names_the_place_of_the_copied_view() -> None:
    receipt = {"_id": f"bench:{ANN.customer_id}", "customer": ANN.customer_id, "place": [0, 12], "times": 2}
    other = copied(DELIVERIES, receipt)
    assert other == {"_id": f"bench:{BEN.customer_id}", "customer": BEN.customer_id, "place": [3, 70_000], "times": 2}


def test_a_copied_order_has_the_name_that_its_own_event_would_give_it() -> None:
    event = f"s1-{token(17)}"
    order = {"_id": name_of(TILL, event), "customer": ANN.customer_id, "event": event, "order": event}
    other = copied(HISTORY, order)
    assert other["event"] == f"s1-{token(4_711)}"
    assert other["_id"] == name_of(TILL, other["event"])


def test_a_place_that_is_not_there_once_is_no_place() -> None:
    with pytest.raises(ValueError, match="not a field of its own"):
        form_of(VIEWS, bson.encode({"_id": "x", "partition": 1}))


def test_an_original_copies_all_its_documents() -> None:
    forms = (Form(HISTORY, bson.encode({"_id": ANN.customer_id})), Form(HISTORY, bson.encode({"_id": token(17)})))
    copies = Original(ANN, forms, orders=2, total="3.00", arrived=changes([])).copies(BEN, 0, 1)
    assert [(place, bson.decode(one.raw)["_id"]) for place, one in copies] == [
        (HISTORY, BEN.customer_id),
        (HISTORY, token(4_711)),
    ]


def test_every_event_keeps_its_contract() -> None:
    made = [*introductions([5]), *deeds([5]), contact(5, "g1", NOW, language="de")]
    models = {model.TYPE: model for model in (ContactReported, SaleReported, InteractionReported)}
    facts = [models[dict(one.headers)["ce_type"].decode()].model_validate_json(one.value) for one in made]
    assert Counter(type(fact).__name__ for fact in facts) == {
        "ContactReported": 2,
        "SaleReported": 2,
        "InteractionReported": 1,
    }
    assert len({one.id for one in made}) == len(made)


def test_touches_are_mixed_and_reach_each_customer_once() -> None:
    wanted = touches(range(10_000), random.Random(1))
    assert len({touch.number for touch in wanted}) == 10_000
    counted = Counter(touch.kind for touch in wanted)
    for kind, times in Counter(KINDS).items():
        assert counted[kind] / 10_000 == pytest.approx(times / len(KINDS), abs=0.02)


@pytest.mark.parametrize(
    ("kind", "after"),
    [
        ("sale", a_view(version=5, orders=3, total="46.48")),
        ("interaction", a_view(version=4, met=2)),
        ("contact", a_view(version=4, language="de")),
    ],
)
def test_an_event_must_have_had_its_effect_and_no_other(kind: str, after: dict[str, Any]) -> None:
    touch = Touch(5, kind)
    check({5: a_view()}, {5: after}, [touch])
    for spoilt in (a_view(version=4), {**after, "interactions": 9}, {**after, "version": 3}):
        with pytest.raises(Wrong, match="customer 5"):
            check({5: a_view()}, {5: spoilt}, [touch])


def test_a_customer_must_stay_who_it_was() -> None:
    with pytest.raises(Wrong, match="another one"):
        check(
            {5: a_view()}, {5: a_view(version=4, met=2) | {"customer_id": BEN.customer_id}}, [Touch(5, "interaction")]
        )


def test_a_customer_nobody_has_touched_is_like_the_one_it_was_copied_from() -> None:
    sales = [SaleReported.model_validate_json(one.value) for one in deeds([123]) if b'"order"' in one.value]
    view = untouched(70_000, like=123)
    assert view["sales"] == {"orders": 2, "total": f"{sum(line.value for one in sales for line in one.lines)}"}
    assert view["contact"]["name"] == f"Customer {token(70_000)}"
    after = {**view, "customer_id": ANN.customer_id, "version": 7, "interactions": 2}
    check({70_000: view}, {70_000: after}, [Touch(70_000, "interaction")])


def test_a_customer_without_a_view_is_not_overlooked() -> None:
    with pytest.raises(Wrong, match="no view"):
        check({5: a_view()}, {}, [Touch(5, "sale")])


def test_rebuilt_contents_that_differ_name_the_first_customer() -> None:
    assert difference({"a": 1, "b": 2}, {"a": 1, "b": 3}) == "b: 2 became 3"
    assert difference({"a": 1}, {}) == "1 documents before, 0 after"


def test_a_process_that_was_started_meanwhile_has_used_all_that_it_has() -> None:
    assert between({"sync": 2.0}, {"sync": 2.5, "scoring": 1.0}) == {"sync": 0.5, "scoring": 1.0}


def at(customers: int, *costs: float) -> At:
    warm = [a_round(cost) for cost in costs]
    cold = [a_round(cost * 2) for cost in costs]
    return At(
        customers, 0, 0.0, {"all": 9.5}, cold, warm, {"sync": 5.0, "mongo": 7.0}, {"sync": 90.4}, {"indexes": 12.0}
    )


def a_round(cost: float) -> dict[str, Any]:
    return {"events": 100, "seconds": 2.0, "cpu us": {"all": cost, "sync": cost / 2}, "pages": cost / 100}


def test_a_size_is_a_column_and_the_largest_is_compared_with_the_smallest() -> None:
    table = {row["figure"]: row for row in rows([at(10_000, 100, 900, 110), at(100_000, 132, 1, 500)], [])}
    warm = "all, CPU us an event, warm"
    assert table[warm] == {"figure": warm, "10,000": 110, "100,000": 132, "x": 1.2}
    assert table["all, CPU us an event, cold"]["10,000"] == 220
    assert table["sync, CPU us an event, warm"]["10,000"] == 55
    assert table["pages MongoDB fetches an event, cold"]["100,000"] == 2.64
    assert table["events/s, warm"]["10,000"] == 50
    assert table["sync, memory MB"]["x"] == 1.0
    assert table["MongoDB's indexes, MB"]["100,000"] == 12
    assert table["start of everything, s"]["10,000"] == 9.5
    assert table["all, CPU ms/s when idle"]["100,000"] == 12


def test_pages_are_told_by_collection_and_index_and_by_event() -> None:
    def stats(pages: int) -> dict[str, Any]:
        return {"cache": {READ: pages}}

    before = of_collection("sync.views", {"wiredTiger": stats(10), "indexDetails": {"_id_": stats(5)}})
    after = of_collection("sync.views", {"wiredTiger": stats(30), "indexDetails": {"_id_": stats(105)}})
    assert most(before, after, events=10) == {"sync.views by _id_": 10.0, "sync.views": 2.0}
    assert "sync.views by _id_ 10.0" in of_pages(replace(at(10, 1.0), pages=most(before, after, 10)))


def test_a_single_size_is_compared_with_nothing() -> None:
    assert "x" not in line("f", [at(10, 1.0)], lambda _: 1.0)


def test_a_rebuild_is_told_with_its_records() -> None:
    rebuilt = Rebuilt("sync", 1_000, 1.0, 2.0, {"sync": 2.25, "mongo": 1.0})
    table = rows([at(10, 1.0)], [rebuilt])
    assert table[-1] == {"figure": "rebuild of sync from 1,000 records, CPU s, with its start and MongoDB", "made": 3.2}
