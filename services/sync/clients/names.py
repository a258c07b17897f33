"""The addresses of receivers' names, asked for where nobody else waits.

A name whose servers do not answer keeps its thread for many seconds. The event loop's own few threads also look up the
names of the database and of Kafka, which must not stand behind the names that somebody has registered.
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

AT_ONCE = 16


class NoSuchName(OSError):
    """Nobody knows the name."""


class Names:
    """Asks once for all who want the same name at the same time, so that a dead one keeps one thread. Made in the event
    loop that asks.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="names")
        self._asked: dict[tuple[str, int], asyncio.Future[list[str]]] = {}

    async def addresses(self, host: str, port: int) -> list[str]:
        """In the order in which they are to be tried. Raises NoSuchName."""
        with suppress(NoSuchName):
            return look_up(host, port, socket.AI_NUMERICHOST)  # an address already: nobody is asked
        asked = self._asked.get((host, port))
        if asked is None:
            asked = asyncio.get_running_loop().run_in_executor(self._threads, look_up, host, port)
            self._asked[host, port] = asked
            asked.add_done_callback(lambda done: self._answered((host, port), done))
        # Who gives up waiting must not take the answer away from the others.
        return await asyncio.shield(asked)

    def _answered(self, name: tuple[str, int], answer: asyncio.Future[list[str]]) -> None:
        del self._asked[name]
        if not answer.cancelled():
            answer.exception()  # seen, also where everybody has given up

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def look_up(host: str, port: int, flags: int = 0) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    except (socket.gaierror, UnicodeError) as error:
        raise NoSuchName("the name is not known") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
