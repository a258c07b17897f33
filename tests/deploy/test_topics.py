"""Topics as the broker keeps them."""

import pytest

from deploy.local import topics as local_topics
from deploy.local.servers import Servers
from deploy.local.topics import UnequalPartitions, config
from shared.contracts.sync import CUSTOMERS
from shared.contracts.topics import ALL, DEAD_LETTERS

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
    assert config(DEAD_LETTERS) == {
        "cleanup.policy": "delete",
        "retention.ms": str(90 * 86_400_000),
        "max.message.bytes": "10485760",
        "compression.type": "uncompressed",
    }
