"""The bench of reads: its client, its figures, its table. What a platform answers is not looked at here."""

from __future__ import annotations

import asyncio

import pytest

from tests.bench.growth.figures import percentile
from tests.bench.line import BadAnswer, Lines, length_of
from tests.bench.reads.asking import Target, path_of_id, path_of_identifier
from tests.bench.reads.rounds import Run, rows
from tests.waiting import eventually


def a_run(way: str, at_once: int, p99: float, **cpu: float) -> Run:
    return {"way": way, "at once": at_once, "per second": 100.0, "p50 ms": 1.0, "p99 ms": p99, "cpu us": cpu}


async def server_that_says(answer: bytes) -> asyncio.Server:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            while (await reader.readline()).strip():
                pass
            writer.write(answer)
        writer.close()

    return await asyncio.start_server(speak, "127.0.0.1", 0)


def base_of(server: asyncio.Server) -> str:
    return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def test_a_percentile_is_a_value_of_the_sample_that_enough_of_it_does_not_exceed() -> None:
    sample = [float(value) for value in range(100, 0, -1)]
    assert [percentile(sample, share) for share in (0.0, 0.5, 0.99, 0.999, 1.0)] == [1.0, 50.0, 99.0, 100.0, 100.0]
    with pytest.raises(ValueError, match="empty"):
        percentile([], 0.5)


def test_an_identifier_in_a_path_is_quoted() -> None:
    target = Target("019b", "e-mail:ann+1@example.org")
    assert path_of_id(target) == "/v1/customers/019b"
    assert path_of_identifier(target) == "/v1/customers?identifier=e-mail%3Aann%2B1%40example.org"


def test_a_row_holds_the_medians_of_the_rounds_and_the_ratio_to_the_bare_read() -> None:
    runs = [a_run("sync by id", 8, p99, sync=p99 * 100) for p99 in (9.0, 3.0, 4.0)]
    runs += [a_run("find_one by id", 8, 2.0), a_run("find_one by id", 1, 100.0)]
    bare, _, read = sorted(rows(runs), key=lambda row: (row["read"] != "find_one by id", -int(row["at once"] or 0)))
    assert (read["read"], read["p99 ms"], read["p99 x find_one"], read["sync, CPU us"]) == ("sync by id", 4.0, 2.0, 400)
    assert bare["p99 x find_one"] == 1.0
    assert "mongo, CPU us" not in read


def test_the_length_of_an_answer_is_read_however_it_is_spelt() -> None:
    assert length_of(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nx: y\r\n\r\n") == 12
    with pytest.raises(BadAnswer, match="unknown length"):
        length_of(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")


async def test_connections_are_kept_and_used_again() -> None:
    async with await server_that_says(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok") as server:
        lines = Lines(base_of(server), "key")
        assert [await lines.get("/a"), await lines.get("/b")] == [b"ok", b"ok"]
        assert await asyncio.gather(*(lines.get("/c") for _ in range(5))) == [b"ok"] * 5
        assert len(lines._idle) == 5
        lines.close()


async def test_a_connection_that_the_server_has_given_up_is_made_anew() -> None:
    given_up = asyncio.Event()

    async def speak_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        await writer.drain()
        writer.close()
        given_up.set()

    async with await asyncio.start_server(speak_once, "127.0.0.1", 0) as server:
        lines = Lines(base_of(server), "key")
        for _ in range(3):
            assert await lines.get("/a") == b"ok"
            await given_up.wait()
            await eventually(lambda: not any(line.open for line in lines._idle))
        lines.close()


async def test_an_answer_other_than_200_is_an_error() -> None:
    async with await server_that_says(b"HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\nnone") as server:
        lines = Lines(base_of(server), "key")
        with pytest.raises(BadAnswer, match="404"):
            await lines.get("/a")
        assert lines._idle == []
