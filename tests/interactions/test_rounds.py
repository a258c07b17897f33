"""Many requests share a round trip to the broker."""

import asyncio
from collections.abc import Sequence

from services.interactions.handlers.rounds import Rounds
from shared.messaging import Outgoing, Unavailable


class SlowBroker:
    """Acknowledges a round when the test lets it."""

    def __init__(self) -> None:
        self.rounds: list[list[Outgoing]] = []
        self.acknowledge = asyncio.Event()
        self.begun = asyncio.Event()
        self.failure: BaseException | None = None

    async def send(self, records: Sequence[Outgoing]) -> None:
        self.rounds.append(list(records))
        self.begun.set()
        await self.acknowledge.wait()
        if self.failure:
            raise self.failure


def record(number: int) -> Outgoing:
    return Outgoing("crm.inbound", b"k", str(number).encode(), [])


async def test_callers_gather_while_a_round_is_under_way() -> None:
    broker = SlowBroker()
    rounds = Rounds(broker)
    first = asyncio.create_task(rounds.send([record(0)]))
    await broker.begun.wait()
    others = [asyncio.create_task(rounds.send([record(n), record(-n)])) for n in range(1, 10)]
    await asyncio.sleep(0)
    assert not any(caller.done() for caller in [first, *others])
    broker.acknowledge.set()
    await asyncio.gather(first, *others)
    assert [len(sent) for sent in broker.rounds] == [1, 18]


async def test_a_failed_round_fails_for_all_its_callers_and_not_for_the_next() -> None:
    broker = SlowBroker()
    broker.failure = Unavailable("away")
    broker.acknowledge.set()
    rounds = Rounds(broker)
    outcomes = await asyncio.gather(*(rounds.send([record(n)]) for n in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Unavailable] * 3
    broker.failure = None
    await rounds.send([record(9)])


async def test_a_caller_who_has_gone_disturbs_nobody() -> None:
    broker = SlowBroker()
    rounds = Rounds(broker)
    gone, there = asyncio.create_task(rounds.send([record(1)])), asyncio.create_task(rounds.send([record(2)]))
    await broker.begun.wait()
    gone.cancel()
    broker.acknowledge.set()
    await there
    assert [len(sent) for sent in broker.rounds] == [2]


async def test_a_round_has_a_ceiling() -> None:
    broker = SlowBroker()
    broker.acknowledge.set()
    rounds = Rounds(broker, most_records=3)
    await asyncio.gather(*(rounds.send([record(n), record(n)]) for n in range(4)))
    assert [len(sent) for sent in broker.rounds] == [4, 4]
