"""The call centre: a process that follows its stream of customers and always has their newest state on the screen."""

import argparse
import asyncio
import logging
import os
import random
import signal
import time
from pathlib import Path

import aiohttp

from demo.copies import Copies
from demo.sse import events

log = logging.getLogger("call-centre")
COMMIT_EVERY = 0.25
QUIET_LIMIT = 45.0
"""Seconds without a byte, three missed pings, after which a connection is taken for dead."""


class NotAllowed(Exception):
    """The platform knows us and says no; trying again will not help."""


class NotYetKnown(Exception):
    """The key is not known, or not yet: a new one takes a moment to reach every service."""


async def follow(session: aiohttp.ClientSession, url: str, key: str, copies: Copies) -> None:
    """One connection, from where the last one ended."""
    headers = {"authorization": f"Bearer {key}", "accept": "text/event-stream"}
    if copies.cursor:
        headers["last-event-id"] = copies.cursor
    async with session.get(url, headers=headers) as response:
        if response.status == 401:
            raise NotYetKnown
        if 400 <= response.status < 500 and response.status != 429:
            raise NotAllowed(f"{response.status}: {await response.text()}")
        response.raise_for_status()
        async for event in events(response.content.iter_any(), copies.cursor):
            if event.name == "customer":
                copies.take(event.data, time.time())
            copies.cursor = event.id


async def follow_for_ever(url: str, key: str, copies: Copies) -> None:
    waits = 0.0
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=QUIET_LIMIT)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        while True:
            began = time.monotonic()
            try:
                await follow(session, url, key, copies)
            except (aiohttp.ClientError, TimeoutError, NotYetKnown) as error:
                log.info("stream_lost error=%r", error)
            waits = 0.25 if time.monotonic() - began > 5 else min(waits * 2 + 0.25, 5.0)
            copies.counts["reconnected"] += 1
            await asyncio.sleep(waits * random.uniform(0.5, 1.0))


async def commit_for_ever(url: str, key: str, copies: Copies) -> None:
    """Whoever listens to a stream has to say of each customer that they are forgotten: that it was sent proves nothing."""
    headers = {"authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=10)) as session:
        while True:
            await asyncio.sleep(COMMIT_EVERY)
            copies.commit()
            for erasure_id, customer_id in copies.owed():
                place = f"{url.removesuffix('/stream')}/erasures/{erasure_id}/customers/{customer_id}"
                if await says_so(session, place):
                    copies.receipted(customer_id)


async def says_so(session: aiohttp.ClientSession, url: str) -> bool:
    """Whether the receipt was taken. If not, it is given again."""
    try:
        async with session.put(url) as response:
            return response.ok
    except (aiohttp.ClientError, TimeoutError) as error:
        log.info("receipt_lost error=%r", error)
        return False


async def work(url: str, key: str, path: Path) -> None:
    """Until told to stop, or until one of the two halves fails."""
    copies = Copies(path)
    halves = [
        asyncio.create_task(follow_for_ever(url, key, copies)),
        asyncio.create_task(commit_for_ever(url, key, copies)),
    ]
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    stopped = asyncio.create_task(stop.wait())
    done, running = await asyncio.wait([*halves, stopped], return_when=asyncio.FIRST_COMPLETED)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    copies.close()
    for task in done:
        task.result()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True, help="the channel's stream, .../v1/channels/call-centre/stream")
    parser.add_argument("--file", required=True, type=Path, help="where the customers are kept (SQLite)")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    asyncio.run(work(given.url, os.environ["CALL_CENTRE_KEY"], given.file))


if __name__ == "__main__":
    main()
