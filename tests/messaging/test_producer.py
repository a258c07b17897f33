"""Where keys go: where every other Kafka client puts them."""

from __future__ import annotations

from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given, strategies as st

from shared.messaging.producer import partition_of


@given(st.binary(max_size=300), st.integers(1, 1000))
def test_a_key_goes_where_the_clients_of_kafka_put_it(key: bytes, partitions: int) -> None:
    everywhere = list(range(partitions))
    assert partition_of(key, partitions) == DefaultPartitioner()(key, everywhere, everywhere)
