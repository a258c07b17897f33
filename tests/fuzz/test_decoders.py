"""The pure decoders under hypothesis: whatever arrives, there is an event or a refusal with a reason, and no crash."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from aiokafka.structs import ConsumerRecord
from hypothesis import example, given, settings, strategies as st

from deploy.schemas import facts
from shared.contracts.channels import INBOUND, MAX_EVENT_BYTES
from shared.contracts.fact import Fact, Reason, Topic
from shared.contracts.topics import ALL
from shared.messaging.dead_letters import letter, read
from shared.messaging.envelope import CloudEvent, Refused, from_headers, from_json, validate
from shared.messaging.received import Intake, Received, Record, Rejected, Rules
from tests.fuzz.domain import EXAMPLES
from tests.fuzz.inputs import BATCH, STRUCTURED, TYPES, Inputs, data, dumps, envelope
from tests.fuzz.mutation import NASTY, STRICT, broken, mutated, wrong
from tests.messaging.records import TIME

FACTS = {fact.TYPE: fact for fact in facts()}
OPEN = frozenset({"attributes", "segment"})
"""Fields that take what they are given, or nearly."""
randoms = st.randoms(use_true_random=False)
json = st.recursive(
    st.sampled_from(NASTY) | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
names = st.sampled_from(
    [
        f"ce_{name}"
        for name in ("specversion", "id", "source", "type", "time", "subject", "sequence", "correlationid", "origin")
    ]
) | st.sampled_from(["content-type", "rapport-replay-group", "rapport-replay-of", ""])
values = (
    st.none()
    | st.binary(max_size=30)
    | st.sampled_from([b"1.0", b"x" * 600, b"2026-01-02T03:04:05Z", BATCH.encode(), STRUCTURED.encode()])
    | st.sampled_from([kind.encode() for kind in TYPES])
)
rules = Rules("crm.inbound", INBOUND.types, frozenset(), True, MAX_EVENT_BYTES, True)


def published(kind: str) -> Any:
    return orjson.loads((EXAMPLES / kind / "1.json").read_bytes())


def record(
    value: bytes | None, headers: dict[str, bytes | None], timestamp: int = 0, key: bytes | None = None
) -> Record:
    made: Any = ConsumerRecord("crm.inbound", 1, 2, timestamp, 0, key, value, None, -1, -1, tuple(headers.items()))
    found: Record = made
    return found


def taken(one: Record) -> tuple[list[Received], list[Rejected]]:
    intake = Intake()
    intake.read(one, rules)
    return intake.events, intake.rejected


def event_or_refusal(decode: Callable[[], CloudEvent | Fact]) -> CloudEvent | Fact | Refused:
    try:
        return decode()
    except Refused as refused:
        return refused


def refusal(kind: str, body: bytes) -> Reason | None:
    found = event_or_refusal(lambda: validate(FACTS, kind, body, MAX_EVENT_BYTES))
    return found.reason if isinstance(found, Refused) else None


@pytest.mark.parametrize("kind", sorted(FACTS))
@given(rng=randoms)
def test_a_published_fact_with_one_leaf_of_no_use_is_refused(kind: str, rng: random.Random) -> None:
    body = published(kind)
    assert refusal(kind, orjson.dumps(body)) is None
    assert refusal(kind, orjson.dumps(wrong(rng, body, OPEN))) is not None


@pytest.mark.parametrize("kind", sorted(FACTS))
@given(rng=randoms)
def test_a_changed_fact_is_taken_or_refused_and_what_is_taken_can_be_told_and_read_again(
    kind: str, rng: random.Random
) -> None:
    fact: type[Fact] = FACTS[kind]
    body = dumps(mutated(rng, published(kind)))
    if refusal(kind, body) is None:
        told = fact.model_validate_json(body).model_dump_json()
        assert fact.model_validate_json(told).model_dump_json() == told


@pytest.mark.parametrize("kind", sorted(FACTS))
@given(rng=randoms)
@settings(max_examples=30)
def test_what_is_no_json_is_malformed(kind: str, rng: random.Random) -> None:
    assert refusal(kind, broken(rng, published(kind), STRICT)) is Reason.MALFORMED


@given(document=json)
@example({"specversion": "1.0", "id": "\0", "source": "x", "type": "x", "data": 1})
def test_any_document_is_an_event_or_a_refusal(document: Any) -> None:
    found = event_or_refusal(lambda: from_json(document))
    if isinstance(found, CloudEvent):
        assert found.id
        assert found.data


@given(headers=st.dictionaries(names, values, max_size=10), value=st.binary(max_size=60))
def test_any_headers_are_an_event_or_a_refusal_in_both_spellings(
    headers: dict[str, bytes | None], value: bytes
) -> None:
    hyphenated = {name.replace("_", "-"): raw for name, raw in headers.items()}
    found = event_or_refusal(lambda: from_headers(headers, value, "ce_"))
    again = event_or_refusal(lambda: from_headers(hyphenated, value, "ce-"))
    assert repr(found) == repr(again)
    assert isinstance(found, Refused) or found.data == value  # type: ignore[union-attr]


@given(
    headers=st.dictionaries(names, values, max_size=8),
    value=st.none() | st.binary(max_size=60) | json.map(dumps),
    timestamp=st.integers(-(2**63), 2**63 - 1),
    key=st.none() | st.binary(max_size=10),
)
def test_any_record_is_events_or_letters_and_each_letter_comes_back_byte_for_byte(
    headers: dict[str, bytes | None], value: bytes | None, timestamp: int, key: bytes | None
) -> None:
    one = record(value, headers, timestamp, key)
    events, rejected = taken(one)
    assert events or rejected or _empty_batch(value)
    for refused in rejected:
        outgoing = letter(refused, "g", "/rapport/x", TIME)
        back = read(record(outgoing.value, dict(outgoing.headers), key=outgoing.key))
        kept = [(name, raw) for name, raw in headers.items() if not name.startswith("rapport-")]
        assert (back.key, back.headers, back.reason) == (key, kept, refused.reason)
        assert refused.element is not None or back.value == value


@given(rng=randoms, count=st.integers(0, 6))
def test_of_a_batch_each_element_is_an_event_or_a_letter(rng: random.Random, count: int) -> None:
    documents = [
        envelope(kind, f"u{n}") | {"data": mutated(rng, data(kind, f"u{n}", rng))}
        for n, kind in enumerate(rng.choices(TYPES, k=count))
    ]
    events, rejected = taken(record(dumps(documents), {"content-type": BATCH.encode()}))
    assert sorted([*(e.element or 0 for e in events), *(r.element or 0 for r in rejected)]) == list(range(count))


@given(seed=st.integers(0, 2**32))
def test_an_input_has_the_fate_that_its_maker_says(seed: int) -> None:
    inputs = Inputs(seed)
    for one in (inputs.right(), inputs.wrong_field(), inputs.wrong_envelope(), inputs.malformed(), inputs.batch()):
        headers = {name.decode(): value for name, value in one.raw.headers}
        events, rejected = taken(record(one.raw.value, headers, key=one.raw.key))
        bad = {r.element or 0 for r in rejected}
        for index, part in enumerate(one.parts):
            assert part.fate == "either" or (index in bad) == (part.fate == "letter"), (one, rejected)
        assert len(events) + len(rejected) == len(one.parts)


def test_every_topic_of_the_platform_is_fuzzed_or_has_no_contract() -> None:
    def known(topic: Topic) -> bool:
        return all(fact.TYPE in FACTS for fact in topic.facts)

    assert all(known(topic) for topic in ALL)
    assert {path.name for path in EXAMPLES.iterdir()} == set(FACTS)


def _empty_batch(value: bytes | None) -> bool:
    return value is not None and value.strip() == b"[]"
