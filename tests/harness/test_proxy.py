"""The proxy does to a connection what it is told, to that link only, and undoes it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from tests.torture.proxy import Link, Links, Weather
from tests.waiting import eventually

MOMENT = 0.3
"""Long enough for what would arrive on loopback to have arrived."""


@dataclass
class Echo:
    """A server that sends back what it gets, and knows how its connections ended."""

    name: bytes = b""
    port: int = 0
    heard: int = 0
    ends: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                self.heard += len(data)
                writer.write(self.name + data)
                await writer.drain()
            self.ends.append("end")
        except ConnectionError:
            self.ends.append("reset")
        except asyncio.CancelledError:
            self.ends.append("cancelled")
        finally:
            writer.close()


@pytest.fixture
async def echoes() -> AsyncIterator[list[Echo]]:
    made = [Echo(b""), Echo(b"2:")]
    running = [await asyncio.start_server(echo.serve, "127.0.0.1", 0) for echo in made]
    for echo, server in zip(made, running, strict=True):
        echo.port = server.sockets[0].getsockname()[1]
    yield made
    for server in running:
        server.close()


@pytest.fixture
def echo(echoes: list[Echo]) -> Echo:
    return echoes[0]


@pytest.fixture
async def link(echo: Echo) -> AsyncIterator[Link]:
    link = await Link("client>echo", [("127.0.0.1", echo.port)]).open()
    yield link
    await link.close()


class Client:
    """One connection through a link."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, data: bytes) -> bytes:
        self.writer.write(data)
        return await self.reader.readexactly(len(data))

    async def silent(self) -> bool:
        """Whether nothing comes, not even an end."""
        try:
            await asyncio.wait_for(self.reader.read(1), MOMENT)
        except TimeoutError:
            return True
        return False


CLIENTS: list[Client] = []


async def connected(link: Link) -> Client:
    client = Client(*await asyncio.open_connection("127.0.0.1", link.port))
    CLIENTS.append(client)
    return client


@pytest.fixture(autouse=True)
async def _clients_leave() -> AsyncIterator[None]:
    yield
    for client in CLIENTS:
        client.writer.close()
        with suppress(ConnectionError):
            await client.writer.wait_closed()
    CLIENTS.clear()


async def seconds(work: Awaitable[object]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


async def test_a_fair_link_passes_everything_as_it_is(link: Link, echo: Echo) -> None:
    client = await connected(link)
    data = bytes(range(256)) * 20_000
    assert await client.ask(data) == data
    assert echo.heard == len(data)
    assert link.bytes == 2 * len(data)


async def test_the_end_of_one_side_is_told_to_the_other(link: Link, echo: Echo) -> None:
    client = await connected(link)
    await client.ask(b"x")
    client.writer.write_eof()
    assert await client.reader.read() == b""
    assert echo.ends == ["end"]


async def test_latency_delays_each_way_and_does_not_throttle(link: Link) -> None:
    client = await connected(link)
    link.turn(up=Weather(latency=0.1), down=Weather(latency=0.2))
    assert await seconds(client.ask(b"x")) > 0.29
    forty_pieces = b"x" * 40 * 256 * 1024
    assert await seconds(client.ask(forty_pieces)) < 40 * 0.2, "pieces are on their way at the same time"


async def test_jitter_never_reorders(link: Link) -> None:
    client = await connected(link)
    link.turn(up=Weather(latency=0.01, jitter=0.01), down=Weather(jitter=0.02))
    data = b"".join(number.to_bytes(4, "big") for number in range(20_000))
    assert await client.ask(data) == data


async def test_bandwidth_is_held(link: Link) -> None:
    client = await connected(link)
    link.turn(down=Weather(bandwidth=100_000))
    assert 0.35 < await seconds(client.ask(b"x" * 50_000)) < 10


async def test_slices_cut_messages_to_pieces_without_losing_any(link: Link) -> None:
    client = await connected(link)
    link.turn(up=Weather(slices=7), down=Weather(slices=3))
    data = bytes(range(250)) * 20
    assert await client.ask(data) == data


async def test_what_is_sent_into_a_cut_arrives_when_it_heals(link: Link, echo: Echo) -> None:
    client = await connected(link)
    link.turn(up=Weather(cut=True), down=Weather(cut=True))
    client.writer.write(b"held")
    assert await client.silent()
    assert echo.heard == 0
    await link.calm()
    assert await client.reader.readexactly(4) == b"held"


async def test_a_cut_swallows_the_end_and_leaves_the_other_side_half_open(link: Link, echo: Echo) -> None:
    client = await connected(link)
    await client.ask(b"x")
    link.turn(up=Weather(cut=True), down=Weather(cut=True))
    client.writer.close()
    await client.writer.wait_closed()
    with pytest.raises(AssertionError):
        await eventually(lambda: echo.ends, within=MOMENT)
    await link.calm()
    await eventually(lambda: echo.ends, within=5)


async def test_who_connects_during_a_cut_hears_nothing_until_it_heals(link: Link) -> None:
    link.turn(up=Weather(cut=True), down=Weather(cut=True))
    client = await connected(link)
    client.writer.write(b"hello")
    assert await client.silent()
    await link.calm()
    assert await client.reader.readexactly(5) == b"hello"


async def test_a_cut_of_one_way_lets_the_other_pass(link: Link, echo: Echo) -> None:
    client = await connected(link)
    link.turn(down=Weather(cut=True))
    client.writer.write(b"question")
    await eventually(lambda: echo.heard == 8, within=5)
    assert await client.silent()
    await link.calm()
    assert await client.reader.readexactly(8) == b"question"


async def test_a_reset_breaks_both_ends_and_lets_them_connect_again(link: Link, echo: Echo) -> None:
    client = await connected(link)
    await client.ask(b"x")
    assert link.reset() == 2
    with pytest.raises(ConnectionResetError):
        await client.reader.readexactly(1)
    await eventually(lambda: echo.ends == ["reset"], within=5)
    again = await connected(link)
    assert await again.ask(b"y") == b"y"


async def test_who_is_refused_cannot_connect_until_calm_returns_on_the_same_port(link: Link) -> None:
    client = await connected(link)
    await client.ask(b"x")
    port = link.port
    await link.refuse()
    with pytest.raises(ConnectionError):
        await client.reader.readexactly(1)
    with pytest.raises(ConnectionRefusedError):
        await connected(link)
    await link.calm()
    assert link.port == port
    assert await (await connected(link)).ask(b"y") == b"y"


async def test_the_death_of_the_target_reaches_the_client() -> None:
    async def die(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.transport.abort()

    dying = await asyncio.start_server(die, "127.0.0.1", 0)
    link = await Link("client>dying", [dying.sockets[0].getsockname()[:2]]).open()
    client = await connected(link)
    client.writer.write(b"xyz")
    with suppress(ConnectionError):
        assert await client.reader.read() == b""
    dying.close()
    refused = await connected(link)
    with pytest.raises(ConnectionError):
        await refused.reader.readexactly(1)
    await link.close()


async def test_targets_take_turns_and_a_dead_one_is_passed_over(echoes: list[Echo], unused_port: int) -> None:
    ports = [echoes[0].port, unused_port, echoes[1].port]
    link = await Link("client>several", [("127.0.0.1", port) for port in ports]).open()
    answers = []
    for _ in range(6):
        client = await connected(link)
        client.writer.write(b"x")
        client.writer.write_eof()
        answers.append(await client.reader.read())
    assert set(answers) == {b"x", b"2:x"}
    await link.close()


@pytest.fixture
async def unused_port() -> int:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


async def test_one_link_is_cut_and_its_neighbour_is_not(echo: Echo) -> None:
    links = Links()
    one, other = [await links.open(f"{name}>echo", [("127.0.0.1", echo.port)]) for name in ("a", "b")]
    assert await links.open("a>echo", []) is one
    assert links.named(end=">echo") == [one, other]
    one.turn(up=Weather(cut=True))
    assert [link.calmed for link in (one, other)] == [False, True]
    assert await (await connected(other)).ask(b"fine") == b"fine"
    await links.calm()
    assert [link.calmed for link in (one, other)] == [True, True]
    await links.close()
    with pytest.raises(ConnectionRefusedError):
        await connected(one)
