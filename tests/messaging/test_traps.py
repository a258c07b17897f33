"""The ways in which consumers and publishers around Kafka lose messages, each shown to be closed on the real broker."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence

import orjson
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faststream import AckPolicy

from shared.contracts.channels import INBOUND
from shared.contracts.fact import Reason
from shared.contracts.interactions import SALES
from shared.contracts.topics import DEAD_LETTERS
from shared.messaging import Outgoing, Received, Subscription, Unit, dead_letters
from shared.messaging.patient import GATHER_BYTES, PatientConsumer
from shared.messaging.producer import partition_of
from tests.fuzz import batches
from tests.fuzz.batches import Raw
from tests.messaging import snappy
from tests.messaging.conftest import Heard, Rig
from tests.messaging.records import placed, reported, sale
from tests.messaging.test_received import structured
from tests.waiting import eventually

pytestmark = pytest.mark.integration


class Failing(Heard):
    """Fails as often as it is told to, with an error that nobody foresaw."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures
        self.attempts: list[float] = []

    async def __call__(self, unit: Unit, events: Sequence[Received]) -> None:
        self.attempts.append(time.monotonic())
        if len(self.attempts) <= self.failures:
            raise RuntimeError("something nobody foresaw")
        await super().__call__(unit, events)


async def letters(rig: Rig) -> list[dead_letters.DeadLetter]:
    return [dead_letters.read(record) for record in await rig.log(DEAD_LETTERS.name)]


async def test_a_handler_that_raises_once_gets_the_batch_again(rig: Rig) -> None:
    handler = Failing(1)
    service = await rig.service("shop", Subscription("g", (INBOUND,), handler))
    await service.send([reported(n) for n in range(6)])
    await eventually(lambda: len(handler.events) >= 6)
    assert handler.ids == [f"e{n}" for n in range(6)]
    await eventually(lambda: rig.committed("g", INBOUND.name))


async def test_a_handler_that_always_raises_backs_off_and_nothing_is_committed(rig: Rig) -> None:
    handler = Failing(10**9)
    service = await rig.service("shop", Subscription("g", (INBOUND,), handler), max_consecutive_dead_letters=1)
    await service.send([reported(n) for n in range(6)])
    await eventually(lambda: len(handler.attempts) >= 20)
    assert await rig.committed("g", INBOUND.name) == 0
    spread = handler.attempts[-1] - handler.attempts[0]
    assert len(handler.attempts) / spread < 60, "a failing handler must not be called in a hot loop"
    ready, report = await service.ready()
    assert (ready, report["halted"]) == (False, True)
    assert (await service.live())[0], "trying again is not being stuck"


async def test_invalid_bodies_become_dead_letters_and_their_partition_goes_on(rig: Rig) -> None:
    heard = Heard()
    service = await rig.service("shop", Subscription("g", (INBOUND,), heard))
    bad = [b"{", b"", b"[]", b"\xff", b"x" * 2_000_000]
    await service.send([record for n, body in enumerate(bad) for record in (reported(n), reported(n, data=body))])
    await eventually(lambda: len(heard.events) >= len(bad))
    await eventually(lambda: _as_many(rig, DEAD_LETTERS.name, len(bad)))
    found = await letters(rig)
    assert {letter.value for letter in found} == set(bad)
    assert Counter(letter.reason for letter in found) == {
        Reason.MALFORMED: 2,
        Reason.EMPTY: 1,
        Reason.INVALID_DATA: 1,
        Reason.TOO_LARGE: 1,
    }


async def _as_many(rig: Rig, topic: str, count: int) -> bool:
    return len(await rig.log(topic)) >= count


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
    await eventually(lambda: _as_many(rig, DEAD_LETTERS.name, 1))
    (letter,) = await letters(rig)
    assert (letter.reason, letter.headers) == (Reason.INVALID_ENVELOPE, [("ce_type", None), ("ce_id", b"\xff")])


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
    await eventually(lambda: _as_many(rig, DEAD_LETTERS.name, 2))
    letter, other = await letters(rig)
    assert (letter.partition, letter.offset, other.offset, letter.reason) == (partition, 4, 6, Reason.INVALID_ENVELOPE)
    assert (letter.value, letter.headers) == (b"{}", [("x-\\xff\\xfed", b"1"), ("y", None)])


def _raw(outgoing: Outgoing) -> Raw:
    return Raw(outgoing.value, outgoing.key, tuple((name.encode(), value) for name, value in outgoing.headers))


async def test_consumers_are_of_our_class(rig: Rig) -> None:
    service = await rig.service("shop", Subscription("g", (INBOUND,), Heard()))
    assert isinstance(service._listeners[0]._client, PatientConsumer)


async def test_a_connection_that_uvloop_has_closed_is_made_anew(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard()
    service = await rig.service("shop", Subscription("g", (INBOUND,), heard))
    await service.send([reported(0)])
    await eventually(lambda: heard.ids == ["e0"])

    def refuse(_: bytes) -> None:
        raise RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")

    client = service._listeners[0]._client
    broken = list(client._client._conns.values())
    for connection in broken:
        monkeypatch.setattr(connection._writer, "write", refuse)
    await eventually(lambda: not any(connection.connected() for connection in broken))
    await service.send([reported(1)])
    await eventually(lambda: heard.ids == ["e0", "e1"])


async def test_in_a_stream_the_broker_gathers_and_in_the_silence_after_it_answers_at_once(rig: Rig) -> None:
    service = await rig.service("shop", Subscription("g", (INBOUND,), Heard()))
    fetcher = service._listeners[0]._client._fetcher
    assert fetcher._fetch_min_bytes == 1
    for begin in range(0, 5_000, 500):
        await service.send([reported(n) for n in range(begin, begin + 500)])
    await eventually(lambda: fetcher._fetch_min_bytes == GATHER_BYTES)
    await eventually(lambda: fetcher._fetch_min_bytes == 1)


async def test_what_the_client_has_skipped_is_fetched_again(rig: Rig) -> None:
    heard = Heard()
    service = await rig.service("shop", Subscription("g", (INBOUND,), heard))
    await service.send([reported(0)])
    await eventually(lambda: heard.ids == ["e0"])
    listener = service._listeners[0]
    partition = TopicPartition(rig.settings.namespace + INBOUND.name, partition_of(b"c1", rig.settings.partitions))
    listener._client.pause(partition)
    await service.send([reported(n) for n in range(1, 6)])
    listener._client.seek(partition, 4)
    listener._client.resume(partition)
    await eventually(lambda: len(heard.events) >= 6)
    assert heard.ids == [f"e{n}" for n in range(6)]


async def test_a_database_that_has_forgotten_its_positions_hears_everything_again(rig: Rig) -> None:
    """Kafka remembers what was committed; an operator who builds a projection anew need not make it forget."""
    heard, again = Heard(), Heard()
    first = await rig.service("shop", Subscription("g", (INBOUND,), heard))
    await first.send([reported(n) for n in range(5)])
    await eventually(lambda: len(heard.events) >= 5)
    await first._listeners[0]._client._commit_if_due()
    await first.stop()
    await rig.database("shop")["offsets"].delete_many({})
    await rig.service("shop", Subscription("g", (INBOUND,), again))
    await eventually(lambda: again.ids == [f"e{n}" for n in range(5)])


async def test_a_log_whose_beginning_is_gone_is_read_from_where_it_begins(rig: Rig) -> None:
    first = await rig.service("shop")
    await first.send([reported(n) for n in range(10)])
    partition = TopicPartition(rig.settings.namespace + INBOUND.name, partition_of(b"c1", rig.settings.partitions))
    admin = AIOKafkaAdminClient(bootstrap_servers=rig.settings.kafka_bootstrap)
    await admin.start()
    await admin.delete_records({partition: RecordsToDelete(before_offset=6)})
    await admin.close()
    heard = Heard()
    await rig.service("late", Subscription("late", (INBOUND,), heard))
    await eventually(lambda: len(heard.events) >= 4)
    assert heard.ids == [f"e{n}" for n in range(6, 10)]


async def test_every_subscriber_has_the_one_policy_that_loses_nothing(rig: Rig) -> None:
    service = rig.unstarted("shop", Subscription("a", (INBOUND,), Heard()), Subscription("b", (SALES,), Heard()))
    assert len(service._listeners) == 2
    for listener in service._listeners:
        subscriber = listener._subscriber
        assert subscriber.ack_policy is AckPolicy.NACK_ON_ERROR
        connection = subscriber._connection_args
        assert connection["auto_offset_reset"] == "earliest"
        assert connection["enable_auto_commit"] is False
        assert connection["partition_assignment_strategy"] == (RangePartitionAssignor,)


async def test_keys_go_to_their_partitions_in_order_with_their_own_headers(rig: Rig) -> None:
    service = await rig.service("shop")
    sent = [reported(n, f"c{n % 8}") for n in range(400)]
    sent += [Outgoing(INBOUND.name, b"big", b"x" * 700_000, [("number", str(n).encode())]) for n in range(5)]
    await service.send(sent)
    records = await rig.log(INBOUND.name)
    assert len(records) == len(sent)
    assert len({r.partition for r in records}) > 1
    for record in records:
        assert record.partition == partition_of(record.key, rig.settings.partitions)
    for key in {r.key for r in sent}:
        of_key = [(r.value, [tuple(h) for h in r.headers]) for r in records if r.key == key]
        assert of_key == [(r.value, list(r.headers)) for r in sent if r.key == key]


async def test_events_told_before_the_group_first_joined_are_heard(rig: Rig) -> None:
    publisher = await rig.service("shop")
    await publisher.send([reported(n, f"c{n}") for n in range(50)])
    heard = Heard()
    await rig.service("late", Subscription("late", (INBOUND,), heard))
    await eventually(lambda: len(heard.events) >= 50)
    assert sorted(heard.ids) == sorted(f"e{n}" for n in range(50))


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


async def test_stopping_in_the_middle_of_a_batch_loses_nothing(rig: Rig) -> None:
    entered, applied = asyncio.Event(), Heard()

    async def slow(unit: Unit, events: Sequence[Received]) -> None:
        entered.set()
        await asyncio.to_thread(time.sleep, 0.3)
        await unit.database["told"].insert_many([{"_id": e.id} for e in events], session=unit.session)
        await applied(unit, events)

    first = await rig.service("shop", Subscription("g", (INBOUND,), slow), batch_records=20)
    await first.send([reported(n, f"c{n}") for n in range(100)])
    await entered.wait()
    await first.stop()
    done = len(applied.events)
    assert 0 < done < 100, "the batch in hand is finished, and no other is begun"
    await rig.service("shop", Subscription("g", (INBOUND,), slow), batch_records=20)
    told = rig.database("shop")["told"]
    await eventually(lambda: _complete(told, 100))
    assert len(applied.events) == 100


async def _complete(collection: object, count: int) -> bool:
    return bool(await collection.count_documents({}) == count)  # type: ignore[attr-defined]


async def test_a_stuck_handler_is_not_alive(rig: Rig) -> None:
    release, entered = asyncio.Event(), asyncio.Event()

    async def stuck(unit: Unit, events: Sequence[Received]) -> None:
        entered.set()
        await release.wait()

    service = await rig.service("shop", Subscription("g", (INBOUND,), stuck), stuck_after_seconds=0.5)
    await service.send([reported(1)])
    await entered.wait()
    await eventually(lambda: _dead(service))
    release.set()
    await eventually(lambda: _alive(service))


async def test_a_consume_loop_that_has_died_is_not_alive(rig: Rig) -> None:
    heard = Heard()
    service = await rig.service("shop", Subscription("g", (INBOUND,), heard), stuck_after_seconds=3)
    await service.send([reported(1)])
    await eventually(lambda: heard.events)
    for task in service._listeners[0]._subscriber.tasks:
        task.cancel()
    assert (await service.live())[0]
    await service.send([reported(2)])
    await eventually(lambda: _dead(service))


async def _dead(service: object) -> bool:
    return not (await service.live())[0]  # type: ignore[attr-defined]


async def _alive(service: object) -> bool:
    return not await _dead(service)


async def test_an_idle_consumer_is_alive(rig: Rig) -> None:
    service = await rig.service("shop", Subscription("g", (INBOUND,), Heard()), stuck_after_seconds=2.5)
    progress = service._listeners[0].progress
    first = progress.moved_at
    await eventually(lambda: progress.moved_at > first + 4)
    assert (await service.live())[0]


async def test_a_sale_too_many_of_our_own_is_halted_at_and_resumed(rig: Rig) -> None:
    """A thousand orders of a bad release: nothing is refused, readiness fails, and good ones go on afterwards."""
    handler = Failing(10**9)
    service = await rig.service("shop", Subscription("g", (SALES,), handler), max_consecutive_dead_letters=5)
    await service.send([placed(n, n) for n in range(200)])
    await eventually(lambda: _halted(service))
    assert await rig.committed("g", SALES.name) == 0
    handler.failures = 0
    await eventually(lambda: len(handler.events) >= 195)
    await eventually(lambda: _ready(service))
    assert len(handler.events) + len(await _letters_of(rig)) == 200


async def _letters_of(rig: Rig) -> list[dead_letters.DeadLetter]:
    return await letters(rig)


async def _halted(service: object) -> bool:
    return bool((await service.ready())[1]["halted"])  # type: ignore[attr-defined]


async def _ready(service: object) -> bool:
    return bool((await service.ready())[0])  # type: ignore[attr-defined]


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
    await eventually(lambda: _as_many(rig, DEAD_LETTERS.name, 3))
    assert {letter.attribute("id") for letter in await letters(rig)} == poison
    assert sorted(heard.ids) == sorted(f"e{n}" for n in range(1000) if f"e{n}" not in poison)
