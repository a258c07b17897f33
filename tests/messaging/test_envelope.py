"""CloudEvents in all three modes, and each reason for which one is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given, strategies as st

from shared.contracts.channels import INBOUND
from shared.contracts.fact import Reason
from shared.contracts.interactions import SALES
from shared.messaging import CloudEvent, Refused, envelope
from tests.messaging.records import SOURCE, TIME, order, sale

LIMIT = 10_000
STRUCTURED = {"specversion": "1.0", "id": "e1", "source": SOURCE, "type": "crm.sale.reported.v1", "data": {"a": 1}}


def event(**changes: Any) -> CloudEvent:
    fields: dict[str, Any] = {"id": "e1", "source": SOURCE, "type": "t", "data": b"{}", "time": TIME}
    return CloudEvent(**(fields | changes))


texts = st.text(min_size=1, max_size=40)


@given(id=texts, source=texts, type=texts, subject=texts | st.none(), origin=texts | st.none())
def test_binary_mode_comes_back_as_it_was_written(**attributes: Any) -> None:
    written = event(**attributes, sequence="0a", correlation_id="c", traceparent="00-1-2-01")
    assert envelope.from_headers(dict(written.headers()), b"{}") == written


def test_http_headers_have_a_hyphen() -> None:
    headers = {name.replace("_", "-"): value for name, value in event().headers()}
    assert envelope.from_headers(headers, b"{}", prefix="ce-") == event()


def test_structured_mode_carries_the_same_attributes() -> None:
    read = envelope.from_json(STRUCTURED | {"time": "2017-03-01T13:30:00+01:00", "subject": "s", "correlationid": "c"})
    assert (read.id, read.source, read.type, read.time, read.subject) == (
        "e1",
        SOURCE,
        "crm.sale.reported.v1",
        TIME,
        "s",
    )
    assert (read.data, read.correlation_id) == (b'{"a":1}', "c")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"specversion": "0.3"}, "specversion"),
        ({"specversion": None}, "specversion"),
        ({"id": ""}, "id"),
        ({"id": None}, "id"),
        ({"id": 7}, "id"),
        ({"id": "x" * 513}, "id"),
        ({"source": None}, "source"),
        ({"source": "x" * 513}, "source"),
        ({"type": None}, "type"),
        ({"correlationid": "x" * 513}, "correlationid"),
        ({"time": "yesterday"}, "time"),
        ({"time": "2017-03-01T12:30:00"}, "time"),
        ({"time": 1488371400}, "time"),
        ({"data_base64": "e30="}, "data_base64"),
    ],
)
def test_a_wrong_attribute_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        envelope.from_json(STRUCTURED | change)
    assert (refused.value.reason, refused.value.field) == (Reason.INVALID_ENVELOPE, field)


@pytest.mark.parametrize("document", [[], "text", 7, None])
def test_an_event_is_an_object(document: Any) -> None:
    with pytest.raises(Refused) as refused:
        envelope.from_json(document)
    assert refused.value.reason is Reason.INVALID_ENVELOPE


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59-12:00", "9999-01-01T00:00:00Z", "1899-12-31T23:59:59Z"])
def test_a_time_that_nobody_lives_in_is_implausible(time: str) -> None:
    with pytest.raises(Refused) as refused:
        envelope.from_json(STRUCTURED | {"time": time})
    assert refused.value.reason is Reason.IMPLAUSIBLE_TIME


def test_a_clock_may_run_ahead_by_less_than_a_day() -> None:
    soon = datetime.now(UTC) + timedelta(hours=23)
    assert envelope.moment(soon.isoformat()) == soon


@pytest.mark.parametrize("missing", [{}, {"data": None}])
def test_without_data_an_event_is_empty(missing: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        envelope.from_json({name: value for name, value in STRUCTURED.items() if name != "data"} | missing)
    assert refused.value.reason is Reason.EMPTY


@pytest.mark.parametrize(("name", "value"), [("ce_id", b"\xff"), ("ce_source", None), ("ce_type", b"\xc3\x28")])
def test_a_null_or_binary_attribute_is_refused(name: str, value: bytes | None) -> None:
    headers: dict[str, bytes | None] = dict(event().headers())
    with pytest.raises(Refused) as refused:
        envelope.from_headers(headers | {name: value}, b"{}")
    assert refused.value.reason is Reason.INVALID_ENVELOPE


def test_headers_that_are_none_of_ours_may_hold_anything() -> None:
    headers: dict[str, bytes | None] = dict(event().headers())
    assert envelope.from_headers(headers | {"x": None, "y": b"\xff", "ce_own": b"\xff"}, b"{}") == event()


def changed(**fields: Any) -> bytes:
    return orjson.dumps(orjson.loads(sale(1)) | fields)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (None, Reason.EMPTY),
        (b"", Reason.EMPTY),
        (b'{"customer": [', Reason.MALFORMED),
        (b"\xff\xfe", Reason.MALFORMED),
        (b"[]", Reason.INVALID_DATA),
        (b"x" * (LIMIT + 1), Reason.TOO_LARGE),
        (changed(lines=[]), Reason.INVALID_DATA),
        (changed(currency="EURO"), Reason.WRONG_CURRENCY),
        (changed(customer=[]), Reason.MISSING_IDENTIFIER),
        (b'{"order": "o1"}', Reason.MISSING_IDENTIFIER),
        (changed(ordered_at="9999-12-31T00:00:00Z"), Reason.IMPLAUSIBLE_TIME),
    ],
)
def test_data_that_breaks_its_contract_has_a_reason(data: bytes | None, reason: Reason) -> None:
    with pytest.raises(Refused) as refused:
        envelope.validate(INBOUND.types, "crm.sale.reported.v1", data, LIMIT)
    assert refused.value.reason is reason


def test_a_type_without_a_contract_is_unknown() -> None:
    with pytest.raises(Refused) as refused:
        envelope.validate(INBOUND.types, "crm.sale.reported.v2", sale(1), LIMIT)
    assert (refused.value.reason, refused.value.field) == (Reason.UNKNOWN_TYPE, "type")


def test_a_refusal_never_quotes_what_a_customer_wrote() -> None:
    with pytest.raises(Refused) as refused:
        envelope.validate(INBOUND.types, "crm.sale.reported.v1", changed(currency="MS SECRET", store=["SECRET"]), LIMIT)
    assert "SECRET" not in refused.value.detail
    assert "currency" in refused.value.detail


def test_unknown_fields_are_ignored_so_that_contracts_may_grow() -> None:
    data = orjson.dumps(orjson.loads(order(1)) | {"invented_later": {"a": 1}})
    assert envelope.validate(SALES.types, "crm.sale.order-placed.v1", data, LIMIT)


@pytest.mark.parametrize(
    ("changes", "data", "field"),
    [
        ({}, {"store": "a\0b"}, "store"),
        ({}, {"store": "a\x1bb"}, "store"),
        ({}, {"store": "a\x7fb"}, "store"),
        ({}, {"customer": [{"scheme": "card", "value": "1\b"}]}, "customer.0.value"),
        ({"source": "/channels/\0"}, {}, "source"),
        ({"id": "\x02"}, {}, "id"),
        ({"correlation_id": "\n\f"}, {}, "correlationid"),
    ],
)
def test_no_text_of_an_event_from_outside_has_control_characters(
    changes: dict[str, Any], data: dict[str, Any], field: str
) -> None:
    one = event(**{"type": "crm.sale.reported.v1", "data": changed(**data)} | changes)
    with pytest.raises(Refused) as refused:
        envelope.admit(INBOUND.types, one, LIMIT)
    assert refused.value.field == field
    assert refused.value.reason in {Reason.INVALID_DATA, Reason.INVALID_ENVELOPE}


@pytest.mark.parametrize("text", ["a\tb\r\nc", "O\x92Brien", "a\\u0000", "a\\b", "M\u00fcller \U0001f600"])
def test_lines_tabs_and_what_a_wrong_encoding_makes_of_an_apostrophe_are_text(text: str) -> None:
    one = event(type="crm.sale.reported.v1", data=changed(store=text))
    assert envelope.admit(INBOUND.types, one, LIMIT).model_dump()["store"] == text


def test_what_no_contract_knows_may_hold_anything_and_what_was_told_before_is_read() -> None:
    assert envelope.admit(INBOUND.types, event(type="crm.sale.reported.v1", data=changed(unknown="\0")), LIMIT)
    assert envelope.validate(INBOUND.types, "crm.sale.reported.v1", changed(store="\0"), LIMIT)
