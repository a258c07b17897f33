"""One HTTP/1.1 connection to a receiver: a request at a time, each answered by a status. Whose turn it is, is `pool`'s.

Of an answer only the status and `Retry-After` are of interest. Its body is read so that the connection can be used
again, but neither long nor for long. The parser is the one that Node.js uses.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

LONGEST_ANSWER = 65_536
BODY_SECONDS = 1.0


class Reply(NamedTuple):
    status: int
    retry_after: str | None = None


class Disconnected(OSError):
    """The receiver has hung up without an answer."""


class NotHttp(OSError):
    """What came back is no answer."""


class Connection(asyncio.Protocol):
    """Made by `create_connection`; used again as long as it is `idle`."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.closed = False
        self.idle_since = self.loop.time()
        self.touched = False
        """Whether anything has come back since the last request."""
        self._answer: asyncio.Future[Reply] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def idle(self) -> bool:
        return self._answer is None and not self.closed

    async def ask(self, request: bytes, deadline: float) -> Reply:
        """Send a request, and return what is answered by a time of the loop. Raises TimeoutError, Disconnected, NotHttp."""
        self._parser = HttpResponseParser(self)
        self._status = 0
        self._retry_after: str | None = None
        self._received = 0
        self._complete = False
        self.touched = False
        answer: asyncio.Future[Reply] = self.loop.create_future()
        self._answer = answer
        self._timer = self.loop.call_at(deadline, self._give_up)
        self._transport.write(request)
        try:
            return await answer
        finally:
            if not self._complete:
                self.close()
            self._timer.cancel()
            self._answer = None
            self.idle_since = self.loop.time()

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._transport.abort()

    # What the transport tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.touched = True
        if self._answer is None or self._complete:
            self.close()  # nobody has asked; it must not be taken for the answer to the next request
            return
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self._fail(NotHttp())
            return
        if not self._complete:
            self._wait_for_the_rest()

    def connection_lost(self, _: Exception | None) -> None:
        self.closed = True
        self._end(Disconnected())

    def _wait_for_the_rest(self) -> None:
        if self._received > LONGEST_ANSWER:
            self._end(NotHttp())
        elif self._status and self._timer is not None:
            self._timer.cancel()
            self._timer = self.loop.call_later(BODY_SECONDS, self._give_up)

    def _give_up(self) -> None:
        self._end(TimeoutError())

    def _end(self, error: Exception) -> None:
        """No more will come: the status is the answer, if there is one."""
        if self._answer is not None and not self._answer.done() and self._status:
            self._answer.set_result(Reply(self._status, self._retry_after))
        else:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    # What the parser tells

    def on_message_begin(self) -> None:
        if self._complete:
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"retry-after":
            self._retry_after = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= 200:  # those below come before the answer
            self._status = status

    def on_message_complete(self) -> None:
        if not self._status or self._complete:
            return
        self._complete = True
        if not self._parser.should_keep_alive():
            self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(Reply(self._status, self._retry_after))
