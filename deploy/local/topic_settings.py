"""How the broker keeps topics that are there already, beside what the contract says. Creating changes nothing about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import NoError, for_code

from deploy.local.errors import CannotStart
from deploy.local.topics import admin_of, config
from shared.contracts import topics as contracts
from shared.contracts.fact import Topic

SET_FOR_THE_TOPIC = 1
"""`config_source` of what was set for this very topic, in Kafka's protocol."""


class Difference(NamedTuple):
    """`found` is None where the broker has no such setting."""

    topic: str
    setting: str
    found: str | None
    wanted: str

    def __str__(self) -> str:
        return f"{self.topic}: {self.setting} is {self.found}, and {self.wanted} was promised"


async def differences(bootstrap: str, namespace: str, topics: Sequence[Topic] = contracts.ALL) -> list[Difference]:
    """What the broker does otherwise than the contract says. All topics must be there."""
    async with admin_of(bootstrap) as admin:
        described = await _described(admin, [namespace + topic.name for topic in topics])
    return list(_differences(namespace, topics, described))


async def alter(bootstrap: str, namespace: str, topics: Sequence[Topic] = contracts.ALL) -> list[Difference]:
    """Set what differs; returns it as it was. What else was set for a topic stays. Safe to run again."""
    async with admin_of(bootstrap) as admin:
        described = await _described(admin, [namespace + topic.name for topic in topics])
        found = list(_differences(namespace, topics, described))
        wanted = {namespace + topic.name: config(topic) for topic in topics}
        resources = []
        for name in sorted({one.topic for one in found}):
            # The request says all that is to hold: what it leaves out would go back to the broker's own.
            own = {
                setting: value for setting, (value, source) in described[name].items() if source == SET_FOR_THE_TOPIC
            }
            resources.append(ConfigResource(ConfigResourceType.TOPIC, name, own | wanted[name]))
        if resources:
            for response in await admin.alter_configs(resources):
                for code, message, _, name in response.resources:
                    _require(code, name, message)
    return found


def _differences(
    namespace: str, topics: Sequence[Topic], described: dict[str, dict[str, tuple[str | None, int]]]
) -> Iterator[Difference]:
    for topic in topics:
        name = namespace + topic.name
        for setting, wanted in config(topic).items():
            found, _ = described[name].get(setting, (None, 0))
            if found != wanted:
                yield Difference(name, setting, found, wanted)


async def _described(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, dict[str, tuple[str | None, int]]]:
    """By topic and setting: the value, and where it comes from."""
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    found: dict[str, dict[str, tuple[str | None, int]]] = {}
    for response in await admin.describe_configs(asked):
        for code, message, _, name, entries in response.resources:
            _require(code, name, message)
            found[name] = {entry[0]: (entry[1], entry[3]) for entry in entries}
    return found


def _require(code: int, name: str, message: Any) -> None:
    if (error := for_code(code)) is not NoError:
        raise CannotStart(f"topic {name}: {error.__name__} {message or ''}".strip())
