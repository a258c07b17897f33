"""Topics as the broker keeps them."""

from datetime import timedelta

import pytest

from deploy.local import topics as local_topics
from deploy.local.servers import Servers
from deploy.local.topics import COMPACTED_WITHIN, SEGMENT, UnequalPartitions, config
from services.contacts.domain.erasure import Patience
from shared.contracts.sync import CUSTOMERS
from shared.contracts.topics import ALL, DEAD_LETTERS, PERSONAL

pytestmark = pytest.mark.integration


async def test_every_topic_is_there_with_equal_partitions(topics: dict[str, int], namespace: str) -> None:
    assert topics == {namespace + topic.name: 4 for topic in ALL}


async def test_creating_them_again_changes_nothing(topics: dict[str, int], servers: Servers, namespace: str) -> None:
    assert await local_topics.create(servers.kafka.url, namespace, 4) == topics


@pytest.mark.usefixtures("topics")
async def test_an_existing_topic_of_another_size_is_refused(servers: Servers, namespace: str) -> None:
    with pytest.raises(UnequalPartitions, match=r"must have 8 partitions.*has 4"):
        await local_topics.create(servers.kafka.url, namespace, 8)


def test_the_contract_says_how_the_log_is_kept() -> None:
    assert config(CUSTOMERS)["cleanup.policy"] == "compact"
    assert config(CUSTOMERS)["retention.ms"] == "-1"
    assert config(CUSTOMERS)["max.compaction.lag.ms"] == str(7 * 86_400_000)
    assert config(DEAD_LETTERS) == {
        "cleanup.policy": "delete",
        "retention.ms": str(14 * 86_400_000),
        "segment.ms": "86400000",
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": "10485760",
        "compression.type": "uncompressed",
    }


def test_what_is_about_customers_is_gone_from_the_log_within_a_month() -> None:
    """With a day until a segment closes and the days after which somebody is alarmed."""
    spare = timedelta(milliseconds=SEGMENT) + Patience().before_deadline
    for topic in PERSONAL:
        lasts = timedelta(milliseconds=COMPACTED_WITHIN) if topic.compacted else topic.retention
        assert lasts is not None, f"{topic.name} is kept for ever"
        assert lasts + spare < Patience().log < timedelta(days=30) - Patience().before_deadline
