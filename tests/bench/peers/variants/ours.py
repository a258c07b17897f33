"""Our core: listener, consumer, guarded offsets, envelope and contract."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from shared import logging, mongo
from shared.messaging import Messaging, Received, Subscription, Unit
from shared.messaging.received import Record
from shared.settings import PlatformSettings
from tests.bench.peers.work import PURCHASES, Check, Job, Ledger, Meter, batch_writes
from tests.messaging.memory import Memory

Apply = Callable[[Unit, Sequence[Received]], Awaitable[None]]


async def memory(job: Job, meter: Meter) -> Check:
    """The transaction is in memory too: what is left is the framework."""
    ledger = Ledger()

    async def apply(_: Unit, events: Sequence[Received]) -> None:
        ledger.add_all(event.fact for event in events)

    await _consume(job, meter, apply, exact=False)
    return ledger.check()


async def database(job: Job, meter: Meter) -> None:
    async def apply(unit: Unit, events: Sequence[Received]) -> None:
        writes = batch_writes([event.fact for event in events])
        await unit.database["totals"].bulk_write(writes, ordered=False, session=unit.session)

    await _consume(job, meter, apply, exact=True)


async def _consume(job: Job, meter: Meter, apply: Apply, *, exact: bool) -> None:
    logging.configure("bench", "bench", "error")
    settings = PlatformSettings(
        kafka_bootstrap=job.bootstrap, mongo_url=job.mongo_url, namespace=job.namespace, instance=job.group[-40:]
    )
    client = mongo.connect(settings)
    messaging = Messaging("bench", settings, client, client[job.database])
    await client[job.database].create_collection("totals")
    messaging.listen(Subscription(job.group.removeprefix(job.namespace), (PURCHASES,), apply))
    consumer = messaging._listeners[0]._consumer
    if not exact:
        kept = Memory()
        consumer._client, consumer._database = kept.client, kept.database
        consumer.offsets._documents = kept.database["offsets"]
    process = consumer.process

    async def metered(records: Sequence[Record]) -> None:
        meter.begin()
        await process(records)
        meter.add(len(records))

    consumer.process = metered  # type: ignore[method-assign]
    await messaging.start()
    await meter.done.wait()
    await messaging.stop()
    await mongo.close(client)
