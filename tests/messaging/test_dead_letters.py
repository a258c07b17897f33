"""A refused record becomes a letter, is sent back, and is refused again: nothing of it changes on the way."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given, strategies as st

from shared.contracts.channels import INBOUND
from shared.contracts.fact import Reason
from shared.contracts.topics import DEAD_LETTERS, REPLAYS
from shared.messaging import CloudEvent, Outgoing, dead_letters
from shared.messaging.dead_letters import DeadLetter
from shared.messaging.received import Record, Rejected
from tests.messaging.records import raw, record, reported, sequence

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
values = st.binary(max_size=50) | st.none()
headers = st.lists(st.tuples(st.text(max_size=10).filter(lambda n: not n.startswith("rapport-")), values), max_size=5)


def arrives(outgoing: Outgoing, *, offset: int = 3) -> Record:
    return record(outgoing, partition=1, offset=offset)


def refused(original: Record, *, element: int | None = None, now: datetime = NOW) -> DeadLetter:
    rejected = Rejected(original, INBOUND.name, Reason.INVALID_DATA, "why", element)
    return dead_letters.read(arrives(dead_letters.letter(rejected, "contacts", "/rapport/contacts", now)))


@given(key=values, value=values, given=headers)
def test_a_letter_keeps_key_value_and_headers_byte_for_byte(
    key: bytes | None, value: bytes | None, given: list[tuple[str, bytes | None]]
) -> None:
    read = refused(raw(value, given, key=key, partition=2, offset=9))
    assert (read.key, read.value, read.headers) == (key, value, given)
    assert (read.topic, read.partition, read.offset, read.handler) == (INBOUND.name, 2, 9, "contacts")
    assert (read.reason, read.detail, read.first_seen, read.replays) == (Reason.INVALID_DATA, "why", NOW, 0)


def test_a_letter_is_a_cloud_event_of_its_own_that_keeps_the_correlation() -> None:
    rejected = Rejected(arrives(reported(1)), INBOUND.name, Reason.INVALID_DATA, "why")
    letter = dead_letters.letter(rejected, "contacts", "/rapport/contacts", NOW)
    found = dict(letter.headers)
    assert letter.topic == DEAD_LETTERS.name
    assert (found["ce_id"], found["ce_type"]) == (b"contacts:crm.inbound:1:3", b"crm.dead-letter.recorded.v1")
    assert found["ce_correlationid"] == b"e1"


def test_refused_again_it_is_the_same_letter() -> None:
    assert refused(arrives(reported(1))).id == refused(arrives(reported(1)), now=LATER).id


def test_a_replay_is_the_original_for_the_group_that_refused_it() -> None:
    first = refused(arrives(reported(1)))
    back = dead_letters.replay(first)
    assert (back.topic, back.key, back.value) == (REPLAYS.name, first.key, first.value)
    found = dict(back.headers)
    assert found[dead_letters.REPLAY_GROUP] == b"contacts"
    assert found[dead_letters.REPLAY_TOPIC] == b"crm.inbound"
    assert [pair for pair in back.headers if not pair[0].startswith("rapport-")] == list(reported(1).headers)


def test_a_body_that_was_mended_takes_the_place_of_the_old() -> None:
    assert dead_letters.replay(refused(arrives(reported(1))), b"mended").value == b"mended"


def test_the_sequence_of_the_first_time_is_not_handed_on() -> None:
    back = dead_letters.replay(refused(record(reported(1), sequence=sequence(5))))
    assert "ce_sequence" not in dict(back.headers)


def test_refused_after_its_replay_it_remembers_where_it_first_stood() -> None:
    first = refused(arrives(reported(1)))
    second = refused(arrives(dead_letters.replay(first), offset=99), now=LATER)
    third = refused(arrives(dead_letters.replay(second), offset=100), now=LATER)
    assert (second.id, third.id) == (f"{first.id}~1", f"{first.id}~2")
    for again in (second, third):
        assert (again.partition, again.offset, again.first_seen) == (1, 3, NOW)
        assert (again.headers, again.value, again.key) == (first.headers, first.value, first.key)
    assert third.replays == 2


def test_an_element_of_a_batch_travels_as_an_event_of_its_own() -> None:
    elements = [{"id": "a"}, {"id": "b"}]
    batch = raw(orjson.dumps(elements), [("content-type", b"application/cloudevents-batch+json"), ("x", b"1")])
    read = refused(batch, element=1)
    assert (read.element, read.value, read.id) == (1, b'{"id":"b"}', "contacts:crm.inbound:0:0:1")
    assert list(dead_letters.replay(read).headers)[-1] == ("x", b"1")
    assert "content-type" not in dict(dead_letters.replay(read).headers)


def test_an_outsider_cannot_pretend_to_be_a_replay() -> None:
    forged: list[tuple[str, bytes | None]] = [
        (dead_letters.REPLAY_OF, b"contacts:crm.inbound:0:0"),
        (dead_letters.OFFSET, b"not a number"),
        (dead_letters.REPLAYED, b"7"),
        (dead_letters.FIRST_SEEN, b"never"),
        (dead_letters.REPLAY_GROUP, b"sync"),
    ]
    read = refused(raw(b"{", forged, offset=4))
    assert (read.id, read.offset, read.replays, read.first_seen) == ("contacts:crm.inbound:0:4", 4, 0, NOW)
    assert dict(dead_letters.replay(read).headers)[dead_letters.REPLAY_GROUP] == b"contacts"


@pytest.mark.parametrize(
    "given",
    [
        [("h", b"")] * 200_000,
        [("ce_id", b"x" * 4_000_000), ("ce_correlationid", b"y" * 4_000_000)],
        [("n" * 8_000_000, None)],
    ],
)
def test_a_letter_fits_into_its_topic_whatever_the_headers_were(given: list[tuple[str, bytes | None]]) -> None:
    rejected = Rejected(raw(b"v", given), INBOUND.name, Reason.INVALID_DATA, "d" * 10_000)
    letter = dead_letters.letter(rejected, "contacts", "/rapport/contacts", NOW)
    extra = sum(len(name) + len(value or b"") for name, value in letter.headers)
    assert extra < DEAD_LETTERS.max_message_bytes - INBOUND.max_message_bytes


def test_what_is_no_letter_is_not_read_as_one() -> None:
    with pytest.raises((KeyError, ValueError)):
        dead_letters.read(raw(b"{}", [(name, None) for name, _ in CloudEvent("a", "b", "c", b"").headers()]))
