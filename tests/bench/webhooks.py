"""Signed webhooks out of sync: what one delivery costs, whole and by its parts: `python -m tests.bench.webhooks`.

Sync's own parts deliver in this process to a receiver in another one, over the real database and without Kafka.
"""

from __future__ import annotations

import asyncio
import json
import resource
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

import psutil
import uvloop

from deploy.local import servers
from deploy.local.layout import Layout, shifted
from services.sync.clients import signed
from services.sync.domain.outgoing import Changed, Receipt, body
from services.sync.domain.sensitive import Sensitive
from services.sync.handlers.deliveries import Settlement
from services.sync.handlers.webhooks import Pace
from shared import logging, mongo
from shared.plumbing import settle_garbage
from shared.settings import PlatformSettings
from tests.bench.section import Row, Section, Stage, alone
from tests.sync.conftest import Sync
from tests.sync.facts import contact, customer, order, score

NOTES = """
CPU of the delivering process and of MongoDB; the receiver (raw sockets, 204 to all) has a process of its own.
`first` delivers to a new channel, `changed` the next version of every customer; with two channels each delivery counts.
The parts are measured one by one, in batches of 500; what they do not add up to is scheduling and bookkeeping.
""".strip().splitlines()
BATCH = 500


class Sink(asyncio.Protocol):
    """The cheapest receiver there is: it counts bytes, and takes everything."""

    def connection_made(self, transport: Any) -> None:
        self.transport, self.held = transport, b""

    def data_received(self, data: bytes) -> None:
        self.held += data
        while (end := self.held.find(b"\r\n\r\n")) >= 0:
            head = self.held[:end].lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
            if len(self.held) < end + 4 + length:
                return
            self.held = self.held[end + 4 + length :]
            self.transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")


async def sink() -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@asynccontextmanager
async def receiving() -> AsyncIterator[str]:
    process = subprocess.Popen(  # noqa: ASYNC220 - nothing else runs yet
        [sys.executable, "-m", "tests.bench.webhooks", "sink"], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/hooks"
    finally:
        process.terminate()
        process.wait()


class Meter:
    """CPU seconds of this process and of the database, where it runs on this machine."""

    def __init__(self, mongo_url: str) -> None:
        port = mongo_url.partition("://")[2].partition("/")[0].rpartition(":")[2]
        found = (p for p in psutil.process_iter(["name", "cmdline"]) if "mongod" in (p.info["name"] or ""))
        self.mongod = next((p for p in found if port in (p.info["cmdline"] or ())), None)

    def read(self) -> tuple[float, float]:
        own = resource.getrusage(resource.RUSAGE_SELF)
        other = self.mongod.cpu_times() if self.mongod else None
        return own.ru_utime + own.ru_stime, other.user + other.system if other else 0.0

    async def spent(self, work: Awaitable[Any], times: int) -> dict[str, float]:
        """Microseconds each, and how many a second."""
        own, other = self.read()
        began = time.perf_counter()
        await work
        seconds = time.perf_counter() - began
        own, other = (after - before for after, before in zip(self.read(), (own, other), strict=True))
        return {"sync": own / times * 1e6, "mongod": other / times * 1e6, "a second": times / seconds}


async def change(sync: Sync, customers: int, number: int) -> None:
    for begin in range(0, customers, BATCH):
        ids = [customer(n) for n in range(begin, min(customers, begin + BATCH))]
        facts = [fact for c in ids for fact in (order(c, number), score(c, number))]
        known = [contact(c, identifiers=[{"scheme": "loyalty-card", "value": c}]) for c in ids] if number == 1 else []
        await sync.happen(*known, *facts)


async def delivered(sync: Sync, channels: Sequence[str]) -> None:
    """Until every channel stands at the tail."""
    dispatch = sync.dispatch(lease_seconds=45.0)
    running = asyncio.create_task(dispatch.run())
    try:
        while True:
            cursors = [(await sync.deliveries.progress(channel)).cursor for channel in channels]
            if all(cursor == sync.tail.positions for cursor in cursors):
                return
            await asyncio.sleep(0.1)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def whole(sync: Sync, meter: Meter, url: str, customers: int, channels: int) -> list[dict[str, Any]]:
    names = [f"channel-{number}" for number in range(channels)]
    for name in names:
        await sync.register(channel_id=name, url=url)
    found = []
    for number, what in enumerate(("first", "changed"), start=1):
        await change(sync, customers, number)
        spent = await meter.spent(delivered(sync, names), customers * channels)
        found.append({"what": f"{what}, {channels} channels" if channels > 1 else what, **spent})
    return found


async def parts(sync: Sync, meter: Meter, url: str, customers: int) -> list[dict[str, Any]]:
    """Each part of a delivery over all customers, none overlapping."""
    channel, secret = await sync.register(channel_id="parts", url=url)
    batches: list[list[Changed]] = []

    async def read() -> None:
        cursor: dict[int, int] = {}
        while batch := await sync.views.beyond(cursor, sync.tail.positions, BATCH):
            batches.append(batch)
            cursor[0] = batch[-1].place.position

    async def receipts() -> None:
        for batch in batches:
            await sync.deliveries.receipts("parts", [changed.customer_id for changed in batch])

    async def render() -> None:
        policy, sensitive = channel.policy, Sensitive()
        now = datetime.now(UTC)
        for changed in (changed for batch in batches for changed in batch):
            body(channel.channel_id, policy, changed, now, sensitive)

    async def sign() -> None:
        for changed in (changed for batch in batches for changed in batch):
            signed((secret,), changed.customer_id, datetime.now(UTC), changed.view)

    async def post() -> None:
        waiting = iter([changed for batch in batches for changed in batch])

        async def sender() -> None:
            for changed in waiting:
                assert (await sync.courier.send(url, (secret,), changed.customer_id, changed.view)).taken

        await asyncio.gather(*(sender() for _ in range(sync.pace.concurrency)))

    async def settle() -> None:
        for batch in batches:
            at = datetime.now(UTC)
            kept = [Receipt(c.customer_id, c.version, 1, 1, c.place, status=204, at=at) for c in batch]
            settlement = Settlement("parts", None, None, {0: batch[-1].place.position}, kept)
            await sync.transact(partial(settled, sync, settlement))

    steps: list[tuple[str, Callable[[], Awaitable[None]]]] = [
        ("read views", read),
        ("cut and render", render),
        ("sign", sign),
        ("sign and post", post),
        ("settle, first", settle),
        ("settle, again", settle),
        ("read receipts", receipts),
    ]
    return [{"what": name, **await meter.spent(step(), customers)} for name, step in steps]


async def settled(sync: Sync, settlement: Settlement, unit: Any) -> None:
    await sync.deliveries.settle(settlement, unit.session)


async def one_round(settings: PlatformSettings, url: str, customers: int) -> list[dict[str, Any]]:
    client = mongo.connect(settings)
    meter, found = Meter(settings.mongo_url), []
    for channels in (0, 1, 2):
        name = f"bench-{secrets.token_hex(4)}_rapport_sync"
        sync = Sync(client, client[name], Pace(batch=BATCH))
        await sync.prepare()
        if channels:
            found += await whole(sync, meter, url, customers, channels)
        else:
            await change(sync, customers, 1)
            found += await parts(sync, meter, url, customers)
        await sync.courier.close()
        await client.drop_database(name)
    await mongo.close(client)
    return found


async def run(stage: Stage) -> Section:
    customers = stage.pick(smoke=200, quick=5_000, normal=10_000, full=50_000)
    rounds = stage.pick(smoke=1, quick=1, normal=3, full=5)
    layout = Layout(stage.place / "servers", shifted(stage.port_base))
    layout.create()
    engines = servers.up(layout, stage.say)
    try:
        async with receiving() as url:
            found = [await alone_with(engines.mongo.url, url, str(customers)) for _ in range(rounds)]
    finally:
        servers.down(layout)
    rows: list[Row] = [
        {"what": runs[0]["what"], **{name: round(middle(runs, name), 1) for name in ("sync", "mongod", "a second")}}
        for runs in zip(*found, strict=True)
    ]
    title = "Signed webhooks: microseconds of CPU a delivery"
    return Section("webhooks", title, rows, NOTES, details={"runs": found, "customers": customers})


def middle(runs: Sequence[dict[str, Any]], name: str) -> float:
    return statistics.median([float(run[name]) for run in runs])


async def alone_with(*asked: str) -> list[dict[str, Any]]:
    """A round in a process of its own, on the event loop that the services run on."""
    command = [sys.executable, "-m", "tests.bench.webhooks", "round", *asked]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    answer, _ = await process.communicate()
    assert process.returncode == 0, "a round has failed"
    found: list[dict[str, Any]] = json.loads(answer)
    return found


def play(mongo_url: str, url: str, customers: str) -> None:
    logging.configure("bench", "bench", "error")
    settle_garbage()
    print(json.dumps(uvloop.run(one_round(PlatformSettings(mongo_url=mongo_url), url, int(customers)))))


if __name__ == "__main__":
    if sys.argv[1:] == ["sink"]:
        with suppress(KeyboardInterrupt):
            asyncio.run(sink())
    elif sys.argv[1:2] == ["round"]:
        play(*sys.argv[2:])
    else:
        alone("webhooks", run, port_base=26_600)
