"""Topics as the broker keeps them."""

from datetime import timedelta

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from deploy.local import topic_settings, topics as local_topics
from deploy.local.errors import CannotStart
from deploy.local.servers import Servers
from deploy.local.topics import COMPACTED_WITHIN, SEGMENT, UnequalPartitions, config
from services.contacts.domain.erasure import Patience
from shared.contracts.interactions import SALES
from shared.contracts.sync import CUSTOMERS
from shared.contracts.topics import ALL, DEAD_LETTERS, PERSONAL
from tests.waiting import eventually

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


async def test_a_topic_that_is_kept_for_too_long_is_named_and_altered(
    topics: dict[str, int], servers: Servers, namespace: str
) -> None:
    url, sales, contacts = servers.kafka.url, namespace + "crm.sales", namespace + "crm.contacts"
    assert set(topics) > {sales, contacts}
    assert await topic_settings.differences(url, namespace) == []
    own = {"retention.ms": "-1", "min.insync.replicas": "1"}
    async with local_topics.admin_of(url) as admin:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, sales, config(SALES) | own)])
    told = f"{sales}: retention.ms is -1, and 1209600000 was promised"

    async def differs(*lines: str) -> bool:
        return [str(one) for one in await topic_settings.differences(url, namespace)] == [*lines]

    # The broker takes a moment until it answers as it was told.
    await eventually(lambda: differs(told))
    assert [str(one) for one in await topic_settings.alter(url, namespace)] == [told]
    await eventually(differs)
    async with local_topics.admin_of(url) as admin:
        [described] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, sales)])
    kept = {entry[0]: entry[1] for entry in described.resources[0][4] if entry[3] == topic_settings.SET_FOR_THE_TOPIC}
    assert kept["min.insync.replicas"] == "1"


async def test_topics_that_are_not_there_have_no_settings(servers: Servers, namespace: str) -> None:
    with pytest.raises(CannotStart, match=r"topic .*crm\.inbound: UnknownTopicOrPartitionError"):
        await topic_settings.differences(servers.kafka.url, namespace)
