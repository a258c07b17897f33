"""Server-sent events out of a byte stream (WHATWG HTML, section 9.2.6). Nothing of HTTP and nothing of Rapport."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class ServerSentEvent:
    """One event; `id` is the last one seen, also where this event carries none."""

    id: str
    name: str
    data: str


@dataclass(slots=True)
class Parser:
    """Bytes in pieces of any size in, whole events out."""

    last_id: str = ""
    _rest: bytes = b""
    _name: str = ""
    _data: list[str] = field(default_factory=list)

    def feed(self, piece: bytes) -> list[ServerSentEvent]:
        *lines, self._rest = (self._rest + piece).replace(b"\r\n", b"\n").split(b"\n")
        return [event for line in lines if (event := self._line(line.decode().removesuffix("\r"))) is not None]

    def _line(self, line: str) -> ServerSentEvent | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._name = value
        elif name == "id" and "\0" not in value:
            self.last_id = value
        return None

    def _dispatch(self) -> ServerSentEvent | None:
        data, name = self._data, self._name
        self._data, self._name = [], ""
        return ServerSentEvent(self.last_id, name or "message", "\n".join(data)) if data else None


async def events(pieces: AsyncIterator[bytes], last_id: str = "") -> AsyncIterator[ServerSentEvent]:
    parser = Parser(last_id)
    async for piece in pieces:
        for event in parser.feed(piece):
            yield event
