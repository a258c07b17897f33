"""The broker goes away and comes back: nobody is restarted for it, nothing is lost, and all go on by themselves."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from deploy.local import processes, topics as local_topics
from deploy.local.layout import Layout, free
from deploy.local.servers import kafka
from shared.contracts.channels import INBOUND
from shared.contracts.interactions import SALES
from shared.messaging import Messaging, Subscription, Unit, messaging as core
from shared.messaging.messaging import Unavailable
from shared.settings import PlatformSettings
from tests.messaging.conftest import Heard, Rig
from tests.messaging.records import placed, reported
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]


class Broker:
    """A Kafka of our own, which we may stop."""

    def __init__(self, place: Path) -> None:
        self._layout = Layout(place, free())
        self._layout.create()
        self._server = kafka.choose(self._layout, lambda _: None)
        self.url = self._server.url

    def start(self) -> None:
        self._server.up(self._layout)

    def stop(self) -> None:
        processes.stop(self._layout.run, ["kafka"])


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    one = Broker(tmp_path_factory.mktemp("broker"))
    yield one
    one.stop()


@pytest.fixture
async def rig(settings: PlatformSettings, broker: Broker) -> AsyncIterator[Rig]:
    broker.start()
    own = settings.model_copy(update={"kafka_bootstrap": broker.url, "stuck_after_seconds": 4.0})
    await local_topics.create(broker.url, own.namespace, own.partitions)
    async with AsyncExitStack() as stack:
        yield Rig(own, stack)


async def ready(service: Messaging) -> bool:
    return (await service.ready())[0]


async def live(service: Messaging) -> bool:
    return (await service.live())[0]


async def tell(service: Messaging, number: int) -> None:
    async def change(unit: Unit) -> None:
        unit.forward(placed(number))

    await service.transact(change)


async def passed(moment: float) -> bool:
    return time.monotonic() > moment


async def test_an_outage_kills_nobody_and_loses_nothing(
    rig: Rig, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core, "SEND_SECONDS", 1.0)
    heard = Heard()
    service = await rig.service("shop", Subscription("g", (INBOUND, SALES), heard))
    await service.send([reported(1)])
    await eventually(lambda: heard.ids == ["e1"])
    broker.stop()
    gone = time.monotonic()
    await tell(service, 2)
    with pytest.raises(Unavailable):
        await service.send([reported(3)])
    await eventually(lambda: passed(gone + 20), within=30)  # longer than the producer's and the group's patience
    assert await live(service)
    broker.start()
    await eventually(lambda: "e2" in heard.ids, within=60)
    await service.send([reported(4)])
    await eventually(lambda: "e4" in heard.ids, within=60)
    assert await live(service)
    assert sorted(set(heard.ids)) in (["e1", "e2", "e4"], ["e1", "e2", "e3", "e4"])
    assert len(heard.ids) == len(set(heard.ids))


async def test_a_service_that_starts_before_its_broker_waits_for_it(rig: Rig, broker: Broker) -> None:
    broker.stop()
    heard = Heard()
    service = rig.unstarted("shop", Subscription("g", (SALES,), heard))
    await service.start()
    await tell(service, 1)
    assert await live(service)
    assert not await ready(service)
    with pytest.raises(Unavailable):
        await service.send([reported(1)])
    broker.start()
    await eventually(lambda: ready(service), within=60)
    await eventually(lambda: heard.ids == ["e1"], within=60)


async def test_a_service_stops_while_its_broker_is_away(rig: Rig, broker: Broker) -> None:
    service = await rig.service("shop", Subscription("g", (SALES,), Heard()))
    broker.stop()
    await tell(service, 1)
    began = time.monotonic()
    await service.stop()
    assert time.monotonic() - began < core.GRACE_SECONDS
    assert await rig.database("shop")["outbox"].count_documents({}) == 1


async def test_a_service_that_never_reached_its_broker_stops(rig: Rig, broker: Broker) -> None:
    broker.stop()
    service = rig.unstarted("shop", Subscription("g", (SALES,), Heard()))
    await service.start()
    began = time.monotonic()
    await service.stop()
    assert time.monotonic() - began < 10
