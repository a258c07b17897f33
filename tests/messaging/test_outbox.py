"""The outbox: what one transaction tells, cut into documents, and the sequence that each event gets."""

from __future__ import annotations

from datetime import UTC, datetime

from bson import ObjectId
from hypothesis import given, strategies as st

from shared.messaging import CloudEvent, Outgoing, outbox
from shared.messaging.outbox import CHUNK_BYTES, CHUNK_EVENTS, Told
from tests.messaging.memory import SESSION, Memory
from tests.messaging.records import placed

NOW = datetime(2026, 11, 22, tzinfo=UTC)


async def written(events: list[Outgoing]) -> list[dict[str, object]]:
    memory = Memory()
    await outbox.write(memory.database, SESSION, events, NOW)
    return list(memory.documents("outbox").values())


async def test_one_document_holds_what_a_transaction_tells() -> None:
    (document,) = await written([placed(1), placed(2)])
    assert (document["part"], document["at"]) == (0, NOW)
    assert [event.value for event in outbox.sequenced(document, 1, 1)] == [placed(1).value, placed(2).value]


async def test_nothing_to_tell_writes_nothing() -> None:
    assert await written([]) == []


async def test_many_events_are_cut_into_parts_in_order() -> None:
    documents = await written([placed(n) for n in range(CHUNK_EVENTS * 2 + 1)])
    assert [(d["part"], len(d["events"])) for d in documents] == [(0, 5000), (1, 5000), (2, 1)]  # type: ignore[arg-type]
    events = [event for d in documents for event in outbox.sequenced(d, 7, 7)]
    assert [e.value for e in events] == [placed(n).value for n in range(CHUNK_EVENTS * 2 + 1)]
    sequences = [sequence(e) for e in events]
    assert sequences == sorted(set(sequences))


async def test_large_events_are_cut_by_their_bytes() -> None:
    half = Outgoing("t", b"k", b"x" * (CHUNK_BYTES // 2), [])
    assert [len(d["events"]) for d in await written([half] * 3)] == [1, 1, 1]  # type: ignore[arg-type]


async def test_the_largest_dead_letter_fits_into_a_document() -> None:
    (document,) = await written([Outgoing("t", b"k", b"x" * 8 * 1_048_576, [("h", b"y" * 256 * 1024)])])
    assert document["part"] == 0


def sequence(event: Outgoing) -> str:
    value = dict(event.headers)["ce_sequence"]
    assert value is not None
    return value.decode()


places = st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 0xFFFF))


def document(part: int, events: int) -> dict[str, object]:
    return {"_id": ObjectId(), "part": part, "events": [["t", b"k", b"v", []]] * events}


@given(places, places, st.integers(1, 50))
def test_sequences_sort_as_text_as_their_commits_do(one: tuple[int, ...], other: tuple[int, ...], events: int) -> None:
    first, second = sorted((one, other))
    of_first = [sequence(e) for e in outbox.sequenced(document(first[2], events), *first[:2])]
    of_second = [sequence(e) for e in outbox.sequenced(document(second[2], events), *second[:2])]
    assert of_first == sorted(set(of_first))
    assert of_first[-1] < of_second[0] or first == second


def test_a_document_read_again_has_the_same_sequences() -> None:
    read = document(3, 10)
    assert outbox.sequenced(read, 1, 2) == outbox.sequenced(read, 1, 2)


def test_headers_and_nulls_survive() -> None:
    (event,) = outbox.sequenced({"part": 0, "events": [["t", None, None, [["a", None], ["b", b"\xff"]]]]}, 1, 1)
    assert (event.key, event.value) == (None, None)
    assert list(event.headers)[:2] == [("a", None), ("b", b"\xff")]


@given(st.text(max_size=20), st.one_of(st.none(), st.just("/channels/shop")))
def test_a_fact_leaves_with_the_headers_of_binary_mode(correlation_id: str, origin: str | None) -> None:
    when = "2026-11-22T00:00:00Z"
    fact = Told(("t", "crm.a.b.v1", "/rapport/x"), b"key", b"{}", "id-1", when, correlation_id, origin)
    (document,) = outbox.packed([placed(1), fact], NOW)
    left = outbox.sequenced(document, 1, 2)[1]
    event = CloudEvent("id-1", "/rapport/x", "crm.a.b.v1", b"{}", NOW, "key", None, correlation_id, origin)
    assert dict(left.headers) == dict(event.headers()) | {"ce_sequence": b"00000001000000020000" + b"0001"}
    assert (left.topic, left.key, left.value) == ("t", b"key", b"{}")
    assert dict(fact.headers) == dict(event.headers())
