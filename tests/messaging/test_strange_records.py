"""Records that nobody means to write, or in another mode than ours: none stops a partition, none is passed over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import orjson
import pytest

from shared.contracts.channels import INBOUND
from shared.contracts.fact import Reason
from shared.contracts.interactions import SALES
from shared.messaging import Outgoing, Received, Subscription, Unit
from shared.messaging.producer import partition_of
from tests.fuzz import batches
from tests.fuzz.batches import Raw
from tests.messaging import snappy
from tests.messaging.conftest import Heard, Rig
from tests.messaging.records import reported, sale
from tests.messaging.test_received import structured
from tests.waiting import eventually

pytestmark = pytest.mark.integration


async def test_invalid_bodies_become_dead_letters_and_their_partition_goes_on(rig: Rig) -> None:
    heard = Heard()
    service = await rig.service("shop", Subscription("g", (INBOUND,), heard))
    bad = [b"{", b"", b"[]", b"\xff", b"x" * 2_000_000]
    await service.send([record for n, body in enumerate(bad) for record in (reported(n), reported(n, data=body))])
    await eventually(lambda: len(heard.events) >= len(bad))
    await eventually(lambda: _as_many_letters(rig, len(bad)))
    found = await rig.letters()
    assert {letter.value for letter in found} == set(bad)
    assert Counter(letter.reason for letter in found) == {
        Reason.MALFORMED: 2,
        Reason.EMPTY: 1,
        Reason.INVALID_DATA: 1,
        Reason.TOO_LARGE: 1,
    }


async def _as_many_letters(rig: Rig, count: int) -> bool:
    return len(await rig.letters()) >= count


async def test_exactly_the_poison_among_a_thousand_is_set_aside(rig: Rig) -> None:
    poison = {"e3", "e500", "e998"}
    heard = Heard()

    async def picky(unit: Unit, events: Sequence[Received]) -> None:
        if any(event.id in poison for event in events):
            raise KeyError("poison")
        await heard(unit, events)

    service = await rig.service("shop", Subscription("g", (INBOUND,), picky))
    await service.send([reported(n, f"c{n % 50}", data=sale(n)) for n in range(1000)])
    await eventually(lambda: len(heard.events) >= 997, within=40)
    await eventually(lambda: _as_many_letters(rig, 3))
    assert {letter.attribute("id") for letter in await rig.letters()} == poison
    assert sorted(heard.ids) == sorted(f"e{n}" for n in range(1000) if f"e{n}" not in poison)


async def test_null_and_binary_headers_skip_nothing(rig: Rig) -> None:
    heard = Heard()
    await rig.service("shop", Subscription("g", (INBOUND,), heard))
    producer = await rig.producer()
    topic = rig.settings.namespace + INBOUND.name
    for number in range(10):
        good = reported(number)
        hostile = [*good.headers, ("x-null", None), ("x-binary", b"\xff\xfe"), ("correlation_id", b"\xff")]
        await producer.send(topic, good.value, key=b"same", headers=hostile if number % 2 else list(good.headers))
    await producer.send_and_wait(topic, b"{}", key=b"same", headers=[("ce_type", None), ("ce_id", b"\xff")])
    await eventually(lambda: len(heard.events) >= 10)
    assert heard.ids == [f"e{n}" for n in range(10)]
    await eventually(lambda: _as_many_letters(rig, 1))
    (letter,) = await rig.letters()
    assert (letter.reason, letter.headers) == (Reason.INVALID_ENVELOPE, [("ce_type", None), ("ce_id", b"\xff")])


async def test_a_header_name_that_is_no_text_stops_no_partition_and_takes_nothing_with_it(rig: Rig) -> None:
    heard = Heard()
    service = await rig.service("shop", Subscription("g", (INBOUND,), heard))
    producer = await rig.producer()
    partition = partition_of(b"c1", rig.settings.partitions)
    bad = Raw(b"{}", b"c1", ((b"x-\xff\xfed", b"1"), (b"y", None)))
    await service.send([reported(n) for n in range(3)])
    mixed = [_raw(reported(3)), bad, _raw(reported(4)), bad, _raw(reported(5))]
    await batches.send(producer, rig.settings.namespace + INBOUND.name, partition, mixed, "none")
    await service.send([reported(n) for n in range(6, 10)])
    await eventually(lambda: len(heard.events) >= 10)
    assert heard.ids == [f"e{n}" for n in range(10)]
    await eventually(lambda: _as_many_letters(rig, 2))
    letter, other = await rig.letters()
    assert (letter.partition, letter.offset, other.offset, letter.reason) == (partition, 4, 6, Reason.INVALID_ENVELOPE)
    assert (letter.value, letter.headers) == (b"{}", [("x-\\xff\\xfed", b"1"), ("y", None)])


def _raw(outgoing: Outgoing) -> Raw:
    return Raw(outgoing.value, outgoing.key, tuple((name.encode(), value) for name, value in outgoing.headers))


async def test_a_batch_compressed_with_what_we_cannot_read_stops_no_partition(rig: Rig) -> None:
    heard = Heard()
    service = await rig.service("shop", Subscription("g", (INBOUND,), heard))
    producer = await rig.producer()
    batch = producer.create_batch()
    for number in range(3):
        event = reported(number)
        batch.append(timestamp=None, key=event.key, value=event.value, headers=list(event.headers))
    batch.close()
    plain = bytes(batch._build())
    batch._build = lambda: snappy.compressed(plain)
    partition = partition_of(b"c1", rig.settings.partitions)
    await (await producer.send_batch(batch, rig.settings.namespace + INBOUND.name, partition=partition))
    await service.send([reported(3)])
    await eventually(lambda: len(heard.events) >= 4)
    assert heard.ids == ["e0", "e1", "e2", "e3"]


@pytest.mark.parametrize("content_type", [b"application/cloudevents+json", b"application/cloudevents-batch+json", None])
async def test_structured_and_batch_mode_are_decoded(rig: Rig, content_type: bytes | None) -> None:
    heard = Heard()
    service = await rig.service("shop", Subscription("g", (INBOUND,), heard))
    batch = bool(content_type and b"batch" in content_type)
    documents = [structured(n) for n in range(3)]
    bodies = [orjson.dumps(documents)] if batch else [orjson.dumps(d) for d in documents]
    headers = [("content-type", content_type)] if content_type else []
    await service.send([Outgoing(INBOUND.name, b"c1", body, headers) for body in bodies])
    await eventually(lambda: len(heard.events) >= 3)
    assert heard.ids == ["e0", "e1", "e2"]


async def test_a_reply_to_header_publishes_nothing(rig: Rig) -> None:
    heard = Heard()
    service = await rig.service("shop", Subscription("g", (INBOUND,), heard))
    victim = (rig.settings.namespace + SALES.name).encode()
    event = reported(1)
    await service.send([event._replace(headers=[*event.headers, ("reply_to", victim), ("correlation_id", b"x")])])
    await eventually(lambda: heard.events)
    await eventually(lambda: rig.committed("g", INBOUND.name))
    assert await rig.log(SALES.name) == []
