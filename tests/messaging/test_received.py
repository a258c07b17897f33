"""What a batch of records holds: whose business an event is, and what has to be set aside."""

from __future__ import annotations

import orjson
import pytest

from shared.contracts.channels import INBOUND, ContactReported, SaleReported
from shared.contracts.fact import Reason
from shared.contracts.interactions import SALES
from shared.messaging import Subscription, Unit
from shared.messaging.received import MAX_ELEMENTS, Intake, Received
from tests.messaging.records import PUBLISHER, SOURCE, TIME, customer_id, placed, raw, record, reported, sale, sequence

BATCH = (("content-type", b"application/cloudevents-batch+json"),)


async def _ignore(unit: Unit, events: object) -> None:
    """Nothing is applied here."""


ALL = Subscription("g", (INBOUND, SALES), _ignore)


def structured(number: int, **changes: object) -> dict[str, object]:
    event = {"specversion": "1.0", "id": f"e{number}", "source": SOURCE, "type": "crm.sale.reported.v1"}
    return event | {"data": orjson.loads(sale(number))} | changes


def read(*records: object, subscription: Subscription = ALL) -> Intake:
    intake = Intake()
    for one in records:
        intake.read(one, subscription.rules[one.topic])  # type: ignore[arg-type,attr-defined]
    return intake


def only(intake: Intake) -> Received:
    assert not intake.rejected
    (event,) = intake.events
    return event


def test_an_edge_event_has_its_channel_as_origin_and_no_sequence() -> None:
    event = only(read(record(reported(1), offset=7, partition=2, sequence=sequence(9))))
    assert (event.id, event.source, event.origin, event.sequence) == ("e1", SOURCE, SOURCE, None)
    assert (event.topic, event.partition, event.offset, event.subject, event.time) == ("crm.inbound", 2, 7, "c1", TIME)
    assert isinstance(event.fact, SaleReported)
    assert event.correlation_id == "e1"


def test_an_event_of_ours_keeps_origin_and_sequence() -> None:
    event = only(read(record(placed(1, 5), sequence=sequence(9))))
    assert (event.source, event.origin, event.sequence) == (PUBLISHER, SOURCE, sequence(9))
    assert event.subject == customer_id(5)


def test_without_a_time_the_records_own_time_holds() -> None:
    event = only(read(raw(orjson.dumps(structured(1)))))
    assert event.time == TIME


@pytest.mark.parametrize("timestamp", [2**62, -(2**62)])
def test_a_record_from_no_time_at_all_is_refused(timestamp: int) -> None:
    intake = read(raw(orjson.dumps(structured(1)), timestamp=timestamp))
    assert [r.reason for r in intake.rejected] == [Reason.IMPLAUSIBLE_TIME]


@pytest.mark.parametrize(
    "content_type", [b"application/cloudevents+json", b"application/cloudevents+json; charset=UTF-8"]
)
def test_structured_mode_is_read(content_type: bytes) -> None:
    event = only(read(raw(orjson.dumps(structured(1)), [("content-type", content_type)])))
    assert event.id == "e1"


def test_a_batch_is_its_elements_in_order() -> None:
    intake = read(raw(orjson.dumps([structured(1), structured(2), structured(3)]), BATCH))
    assert [(e.id, e.element) for e in intake.events] == [("e1", 0), ("e2", 1), ("e3", 2)]


def test_bad_elements_do_not_spoil_the_good_ones() -> None:
    intake = read(raw(orjson.dumps([structured(1), {"id": "e2"}, 7, structured(4, data={}), structured(5)]), BATCH))
    assert [e.id for e in intake.events] == ["e1", "e5"]
    assert [(r.element, r.reason, r.value()) for r in intake.rejected] == [
        (1, Reason.INVALID_ENVELOPE, b'{"id":"e2"}'),
        (2, Reason.INVALID_ENVELOPE, b"7"),
        (3, Reason.MISSING_IDENTIFIER, orjson.dumps(structured(4, data={}))),
    ]


def test_a_batch_of_too_many_is_one_refusal() -> None:
    value = orjson.dumps([0] * (MAX_ELEMENTS + 1))
    (refused,) = read(raw(value, BATCH)).rejected
    assert (refused.reason, refused.element, refused.value()) == (Reason.TOO_LARGE, None, value)


@pytest.mark.parametrize(
    ("value", "headers", "reason"),
    [
        (None, [], Reason.EMPTY),
        (b"", [], Reason.EMPTY),
        (b"{", [], Reason.MALFORMED),
        (b"[" * 100_000, [], Reason.MALFORMED),
        (b"\xff\x00", [], Reason.MALFORMED),
        (b"7", [], Reason.INVALID_ENVELOPE),
        (b"{}", [("content-type", b"application/json")], Reason.INVALID_ENVELOPE),
        (b"{}", [("content-type", None)], Reason.INVALID_ENVELOPE),
        (b"{}", [("ce_type", None)], Reason.INVALID_ENVELOPE),
        (b"{}", [("ce_type", b"\xff")], Reason.INVALID_ENVELOPE),
        (sale(1), [*reported(1).headers, ("ce_type", b"crm.nothing.v1")], Reason.UNKNOWN_TYPE),
        (None, reported(1).headers, Reason.EMPTY),
        (b"x" * 1_000_001, reported(1).headers, Reason.TOO_LARGE),
    ],
)
def test_what_outsiders_write_is_refused_with_a_reason(
    value: bytes | None, headers: list[tuple[str, bytes | None]], reason: Reason
) -> None:
    intake = read(raw(value, headers))
    assert not intake.events
    assert [(r.reason, r.topic) for r in intake.rejected] == [(reason, "crm.inbound")]


def test_our_own_topics_take_binary_mode_only() -> None:
    intake = read(raw(orjson.dumps(structured(1)), topic=SALES))
    assert [r.reason for r in intake.rejected] == [Reason.INVALID_ENVELOPE]


def test_what_another_group_takes_is_neither_handled_nor_refused() -> None:
    subscription = Subscription("g", (INBOUND,), _ignore, ignores=(SaleReported,))
    intake = read(record(reported(1)), record(reported(2, data=b"{")), subscription=subscription)
    assert (intake.events, intake.rejected) == ([], [])


def test_unreadable_records_are_refused_by_the_one_group_that_owns_the_rest() -> None:
    records = [raw(b"{"), raw(b"{}", [("ce_type", b"\xff")]), record(reported(1)), record(reported(2, data=b"{"))]
    owner = Subscription("owner", (INBOUND,), _ignore, ignores=(ContactReported,))
    guest = Subscription("guest", (INBOUND,), _ignore, facts=(ContactReported,), owns_rest=False)
    assert len(read(*records, subscription=owner).rejected) == 3
    assert read(*records, subscription=guest).rejected == []


def test_a_guest_looks_at_the_type_first_and_no_further_where_it_is_anothers() -> None:
    """Whatever is wrong with it, and also where its type is no text."""
    guest = Subscription("guest", (INBOUND,), _ignore, facts=(ContactReported,), owns_rest=False)
    types: list[bytes | None] = [b"crm.sale.reported.v1", b"\xff", b"", None]
    records = [raw(b"{", [("ce_type", type_), ("ce_time", b"never")]) for type_ in types]
    intake = read(*records, record(reported(2)), subscription=guest)
    assert (intake.events, intake.rejected) == ([], [])


def test_a_guest_refuses_what_is_addressed_to_it() -> None:
    guest = Subscription("guest", (INBOUND,), _ignore, facts=(SaleReported,), owns_rest=False)
    intake = read(record(reported(1, data=b"{")), subscription=guest)
    assert [r.reason for r in intake.rejected] == [Reason.MALFORMED]
