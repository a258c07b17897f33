"""Steps as bytes, over HTTP and in Kafka records."""

import json

import pytest

from demo.emitters.event import SALE, Event
from demo.emitters.faults import FAULTS, Fault
from demo.emitters.history import events
from demo.emitters.plan import Step
from demo.emitters.wire import BATCH, STRUCTURED, posts, record, single


@pytest.fixture(scope="module")
def sales() -> list[Event]:
    return [event for event in events(share=0.02) if event.type == SALE]


def step(sales: list[Event], transport: str, fault: str | None = None) -> Step:
    sale = next(sale for sale in sales if sale.system.transport == transport)
    return Step(sale, named(fault) if fault else None)


def named(name: str) -> Fault:
    return next(fault for fault in FAULTS if fault.name == name)


def test_a_record_is_a_cloud_event_keyed_by_the_channels_own_identifier(sales: list[Event]) -> None:
    sent = step(sales, "kafka")
    made = record(sent, 1)
    assert made.key is not None
    assert made.key.startswith(b"south-pos:S-")
    assert dict(made.headers) == {
        "ce_specversion": b"1.0",
        "ce_id": sent.event.id.encode(),
        "ce_source": b"/channels/south-stores",
        "ce_type": b"crm.sale.reported.v1",
        "ce_time": sent.event.data["ordered_at"].encode(),
        "content-type": b"application/json",
    }
    assert json.loads(made.value) == sent.event.data


def test_some_records_are_structured_and_some_carry_a_null_header_that_means_nothing(sales: list[Event]) -> None:
    structured = record(step(sales, "kafka"), 40)
    assert structured.headers == [("content-type", STRUCTURED.encode())]
    assert json.loads(structured.value)["data"]["currency"] == "USD"
    assert ("x-till-operator", None) in record(step(sales, "kafka"), 57).headers


def test_a_null_id_is_a_null_header_and_a_customer_nobody_names_has_no_key(sales: list[Event]) -> None:
    assert dict(record(step(sales, "kafka", "null-id"), 1).headers)["ce_id"] is None
    assert dict(record(step(sales, "kafka", "empty-id"), 1).headers)["ce_id"] == b""
    assert record(step(sales, "kafka", "no-customer"), 1).key is None
    assert record(step(sales, "kafka", "empty-body"), 1).value == b""


@pytest.mark.parametrize("name", ["bad-json", "bad-utf8", "too-deep"])
def test_malformed_bodies_are_no_json(sales: list[Event], name: str) -> None:
    body = record(step(sales, "kafka", name), 1).value
    with pytest.raises((ValueError, RecursionError)):
        json.loads(body)


def test_posts_keep_the_order_and_send_unreadable_bodies_by_themselves(sales: list[Event]) -> None:
    good, bad, wrong = (step(sales, "http", fault) for fault in (None, "bad-json", "year-9999"))
    made = posts(list(enumerate([good, good, wrong, bad, good], start=1)), size=2)
    assert [len(post.steps) for post in made] == [2, 1, 1, 1]
    assert [post.headers["content-type"] for post in made] == [BATCH, BATCH, "application/json", BATCH]
    first = json.loads(made[0].body)[0]
    assert first["source"] == "/channels/north-stores"
    assert first["data"] == good.event.data


def test_a_till_may_also_send_one_event_by_itself_in_both_modes(sales: list[Event]) -> None:
    good = step(sales, "http")
    assert single(good, 500).headers["ce-id"] == good.event.id
    assert single(good, 1000).headers == {"content-type": STRUCTURED}
    assert [len(post.steps) for post in posts([(499, good), (500, good), (501, good)], size=9)] == [1, 1, 1]
