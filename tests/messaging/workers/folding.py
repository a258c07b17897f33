"""A process that folds reported sales per customer and tells an order for each, until it is killed or told to stop.

Its settings come from the environment, as a service's do; the tests kill it in the middle of its batches.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence

from pymongo import UpdateOne

from shared import logging, mongo
from shared.contracts.channels import INBOUND
from shared.messaging import Messaging, Received, Subscription, Unit
from shared.settings import PlatformSettings
from tests.messaging.records import placed

SERVICE = "folding"


async def fold(unit: Unit, events: Sequence[Received]) -> None:
    counts: dict[str, int] = {}
    for event in events:
        counts[event.subject] = counts.get(event.subject, 0) + 1
        unit.forward(placed(int(event.id[1:]), int(event.subject[1:])))
    writes = [UpdateOne({"_id": c}, {"$inc": {"events": n}}, upsert=True) for c, n in counts.items()]
    await unit.database["counts"].bulk_write(writes, ordered=False, session=unit.session)


async def main() -> None:
    settings = PlatformSettings()
    logging.configure(SERVICE, settings.instance, "warning")
    client = mongo.connect(settings)
    messaging = Messaging(SERVICE, settings, client, client[f"{settings.namespace}rapport_{SERVICE}"])
    messaging.listen(Subscription("folding", (INBOUND,), fold))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await messaging.start()
    await stop.wait()
    await messaging.stop()
    await mongo.close(client)


if __name__ == "__main__":
    asyncio.run(main())
