"""The ways in which Kafka's clients and positions lose messages, each shown to be closed on the real broker."""

from __future__ import annotations

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faststream import AckPolicy

from shared.contracts.channels import INBOUND
from shared.contracts.interactions import SALES
from shared.messaging import Outgoing, Subscription
from shared.messaging.patient import GATHER_BYTES, PatientConsumer
from shared.messaging.producer import partition_of
from tests.messaging.conftest import Heard, Rig
from tests.messaging.records import reported
from tests.waiting import eventually

pytestmark = pytest.mark.integration


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


async def test_consumers_are_of_our_class(rig: Rig) -> None:
    service = await rig.service("shop", Subscription("g", (INBOUND,), Heard()))
    assert isinstance(service._listeners[0]._client, PatientConsumer)


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
