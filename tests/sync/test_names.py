"""Names that nobody answers for keep neither each other nor addresses waiting for longer than need be."""

import asyncio
import socket
import threading

import pytest

from services.sync.clients import names
from services.sync.clients.names import AT_ONCE, Names, NoSuchName

WAIT = 10


class Resolver:
    """Hangs over every name until it is let go; counts what it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.go = threading.Event()
        real = names.look_up

        def look_up(host: str, port: int, flags: int = 0) -> list[str]:
            if flags & socket.AI_NUMERICHOST:
                return real(host, port, flags)
            self.asked.append(host)
            self.go.wait(WAIT)
            return ["192.0.2.1"]

        monkeypatch.setattr(names, "look_up", look_up)


async def test_a_name_that_many_want_is_asked_for_once_and_whoever_gives_up_spoils_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolver, found = Resolver(monkeypatch), Names()
    wanted = [asyncio.create_task(found.addresses("shop.example", 443)) for _ in range(5)]
    await asyncio.sleep(0)
    wanted[0].cancel()
    resolver.go.set()
    answers = await asyncio.wait_for(asyncio.gather(*wanted, return_exceptions=True), WAIT)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1:] == [["192.0.2.1"]] * 4
    assert resolver.asked == ["shop.example"]
    found.close()


async def test_an_address_needs_no_answer_while_every_name_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver, found = Resolver(monkeypatch), Names()
    hanging = [asyncio.create_task(found.addresses(f"dead-{n}.example", 443)) for n in range(2 * AT_ONCE)]
    assert await asyncio.wait_for(found.addresses("127.0.0.1", 443), WAIT) == ["127.0.0.1"]
    resolver.go.set()
    await asyncio.wait_for(asyncio.gather(*hanging), WAIT)
    found.close()


async def test_a_name_that_is_none_is_said_so() -> None:
    found = Names()
    with pytest.raises(NoSuchName):
        await found.addresses("no-such-name.invalid", 443)
    with pytest.raises(NoSuchName):
        await found.addresses("a" * 300, 443)
    found.close()
