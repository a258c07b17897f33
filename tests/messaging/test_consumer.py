"""What happens to records that fail, decided without any server: retried, narrowed down, refused, or halted at."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from pymongo.errors import AutoReconnect

from shared.contracts.channels import INBOUND
from shared.contracts.fact import Reason
from shared.contracts.interactions import SALES
from shared.contracts.topics import DEAD_LETTERS
from shared.messaging import Outgoing, Received, Subscription, Unit, dead_letters, outbox
from shared.messaging.consumer import Consumer, TooManyDeadLetters
from shared.messaging.received import Record, Rejected
from shared.settings import PlatformSettings
from tests.messaging.memory import Memory
from tests.messaging.records import TIME, placed, raw, record, reported, sequence

LIMIT = 10


class Handler:
    """Applies events, but for those it is told to fail on."""

    def __init__(self, *poison: str) -> None:
        self.poison = set(poison)
        self.applied: list[str] = []
        self.batches: list[int] = []
        self.error: Exception | None = None

    async def __call__(self, unit: Unit, events: Sequence[Received]) -> None:
        self.batches.append(len(events))
        if self.error:
            raise self.error
        for event in events:
            if event.id in self.poison:
                raise KeyError(event.id)
        self.applied += [event.id for event in events]


class Rig:
    """A consumer over a database in memory."""

    def __init__(self, handler: Handler, *, batch_records: int = 1000) -> None:
        self.memory = Memory()
        self.handler = handler
        settings = PlatformSettings(batch_records=batch_records, max_consecutive_dead_letters=LIMIT)
        subscription = Subscription("g", (INBOUND, SALES), handler)
        self.consumer = Consumer("x", subscription, settings, self.memory.client, self.memory.database)

    async def until_done(self, records: Sequence[Record], attempts: int = 10) -> int:
        """As the listener does: again and again until it does not raise. Returns the failures."""
        for failures in range(attempts):
            try:
                await self.consumer.process(records)
            except Exception as error:
                if failures == attempts - 1 or isinstance(error, TooManyDeadLetters):
                    raise
            else:
                return failures
        raise AssertionError

    def letters(self) -> list[tuple[int, Reason]]:
        told = (Outgoing(*event) for event in self.memory.told())
        read = (dead_letters.read(record(event)) for event in told if event.topic == DEAD_LETTERS.name)
        return [(letter.offset, letter.reason) for letter in read]

    def next(self, topic: str = INBOUND.name) -> int:
        document = self.memory.documents("offsets").get(f"g:{topic}:0")
        return document["next"] if document else 0


def sales(count: int) -> list[Record]:
    return [record(reported(n), offset=n) for n in range(count)]


async def test_a_batch_has_its_effect_and_moves_the_offset() -> None:
    rig = Rig(Handler())
    await rig.consumer.process(sales(5))
    assert rig.handler.applied == [f"e{n}" for n in range(5)]
    assert rig.next() == 5


async def test_narrowing_refuses_exactly_the_poison_among_a_thousand() -> None:
    rig = Rig(Handler("e0", "e500", "e501", "e999"))
    assert await rig.until_done(sales(1000)) == 2
    assert rig.letters() == [(n, Reason.HANDLER_ERROR) for n in (0, 500, 501, 999)]
    assert rig.handler.applied == [f"e{n}" for n in range(1000) if n not in (0, 500, 501, 999)]
    assert rig.next() == 1000


async def test_an_unknown_error_that_passes_refuses_nothing() -> None:
    rig = Rig(Handler("e1"))
    for _ in range(2):
        with pytest.raises(KeyError):
            await rig.consumer.process(sales(3))
    rig.handler.poison.clear()
    await rig.consumer.process(sales(3))
    assert (rig.handler.applied, rig.letters()) == (["e0", "e1", "e2"], [])


async def test_a_handler_that_fails_on_everything_halts_and_goes_on_when_it_is_mended() -> None:
    rig = Rig(Handler(*(f"e{n}" for n in range(1000))))
    with pytest.raises(TooManyDeadLetters):
        await rig.until_done(sales(1000))
    halted_at = rig.next()
    assert halted_at == LIMIT == len(rig.letters())
    for _ in range(3):
        with pytest.raises(TooManyDeadLetters):
            await rig.consumer.process(sales(1000))
    assert (rig.next(), len(rig.letters())) == (halted_at, LIMIT)
    rig.handler.poison.clear()
    await rig.consumer.process(sales(1000))
    assert rig.handler.applied == [f"e{n}" for n in range(LIMIT, 1000)]


async def test_a_bad_release_of_a_publisher_halts_before_anything_is_refused() -> None:
    rig = Rig(Handler())
    bad = [record(placed(n, data=b"{}"), offset=n) for n in range(LIMIT + 1)]
    with pytest.raises(TooManyDeadLetters):
        await rig.consumer.process([*sales(3), *bad])
    assert (rig.next(SALES.name), rig.letters()) == (0, [])


async def test_refusals_in_a_row_are_counted_over_batches_and_not_over_retries() -> None:
    rig = Rig(Handler())
    bad = [record(placed(n, data=b"{}"), offset=n) for n in range(LIMIT + 1)]
    rig.memory.faults.extend(["before"] * 3)
    for _ in range(3):
        with pytest.raises(AutoReconnect):
            await rig.consumer.process(bad[:LIMIT])
    for one in bad[:LIMIT]:
        await rig.consumer.process([one])
    with pytest.raises(TooManyDeadLetters):
        await rig.consumer.process(bad)
    assert rig.next(SALES.name) == LIMIT


async def test_a_good_event_of_the_topic_ends_the_row() -> None:
    rig = Rig(Handler())
    records = [record(placed(n, data=b"{}" if n % LIMIT else None), offset=n) for n in range(5 * LIMIT)]
    for one in records:
        await rig.consumer.process([one])
    assert len(rig.letters()) == 5 * (LIMIT - 1)


async def test_outsiders_may_send_as_much_rubbish_as_they_like() -> None:
    rig = Rig(Handler())
    await rig.consumer.process([raw(b"{", offset=n) for n in range(5 * LIMIT)])
    assert len(rig.letters()) == 5 * LIMIT


async def test_a_batch_too_heavy_for_one_transaction_is_done_in_portions() -> None:
    rig = Rig(Handler())
    rig.memory.faults.extend(["before"] * 3)
    for _ in range(3):
        with pytest.raises(AutoReconnect):
            await rig.consumer.process(sales(1000))
    await rig.consumer.process(sales(1000))
    assert rig.handler.applied[-1000:] == [f"e{n}" for n in range(1000)]
    assert rig.handler.batches == [1000, 500, 250, 125, 250, 500, 125]


async def test_a_commit_whose_outcome_nobody_knows_counts_once() -> None:
    rig = Rig(Handler())
    rig.memory.faults.append("after")
    assert await rig.until_done(sales(3)) == 1
    assert rig.handler.applied == ["e0", "e1", "e2"]


async def test_a_replay_that_is_published_twice_counts_once() -> None:
    rig = Rig(Handler("e1"))
    await rig.until_done(sales(3))
    letter = next(Outgoing(*e) for e in rig.memory.told() if e[0] == DEAD_LETTERS.name)
    rig.handler.poison.clear()
    back = dead_letters.replay(dead_letters.read(record(letter)))
    published = outbox.sequenced({"part": 0, "events": [list(back)]}, 1, 1)
    await rig.consumer.process([record(published[0], offset=n) for n in range(2)])
    assert rig.handler.applied == ["e0", "e2", "e1"]


async def test_a_replay_that_is_published_twice_counts_once_in_batches_of_its_own_too() -> None:
    rig = Rig(Handler())
    refused = Rejected(record(placed(1)), SALES.name, Reason.HANDLER_ERROR, "why")
    letter = dead_letters.letter(refused, "g", "/rapport/x", TIME)
    back = dead_letters.replay(dead_letters.read(record(letter)))
    published = outbox.sequenced({"part": 0, "events": [list(back)]}, 1, 1)[0]
    for offset in range(2):
        await rig.consumer.process([record(published, offset=offset)])
    assert rig.handler.applied == ["e1"]


async def test_what_our_handler_fails_on_is_one_dead_letter_however_often_it_is_published() -> None:
    handler = Handler("e1")
    rig = Rig(handler)
    log = [record(placed(n), offset=n, sequence=sequence(n + 1)) for n in range(3)]
    again = [record(placed(n), offset=3 + n, sequence=sequence(n + 1)) for n in range(3)]
    await rig.until_done(log)
    await rig.until_done(again)
    assert handler.applied == ["e0", "e2"]
    assert rig.letters() == [(1, Reason.HANDLER_ERROR)]


async def test_a_fact_that_cannot_be_taken_is_one_dead_letter_however_often_it_is_published() -> None:
    handler = Handler()
    rig = Rig(handler)
    facts = [placed(0), placed(1, data=b"{}"), placed(2)]
    log = [record(fact, offset=n, sequence=sequence(n + 1)) for n, fact in enumerate(facts)]
    again = [record(fact, offset=3 + n, sequence=sequence(n + 1)) for n, fact in enumerate(facts)]
    await rig.until_done([*log, *again[:2]])
    await rig.until_done(again[2:])
    await rig.until_done([record(facts[1], offset=6, sequence=sequence(2))])
    assert handler.applied == ["e0", "e2"]
    assert rig.letters() == [(1, Reason.INVALID_DATA)]


async def test_a_replay_for_another_group_is_left_alone() -> None:
    rig = Rig(Handler())
    headers: list[tuple[str, bytes | None]] = [
        (dead_letters.REPLAY_GROUP, b"other"),
        (dead_letters.REPLAY_TOPIC, b"crm.inbound"),
        *reported(1).headers,
    ]
    await rig.consumer.process([raw(reported(1).value, headers, topic="crm.replays")])
    assert (rig.handler.applied, rig.next("crm.replays")) == ([], 1)


async def test_the_keeper_of_dead_letters_writes_none_about_them() -> None:
    memory, handler = Memory(), Handler("crm.dead-letters:0:0")
    subscription = Subscription("keeper", (DEAD_LETTERS,), handler, raw=True)
    consumer = Consumer("x", subscription, PlatformSettings(), memory.client, memory.database)
    records = [raw(b"rubbish", topic=DEAD_LETTERS, offset=n) for n in range(2)]
    for _ in range(2):
        with pytest.raises(KeyError):
            await consumer.process(records)
    await consumer.process(records)
    assert handler.applied == ["crm.dead-letters:0:1"]
    assert memory.told() == []


async def test_events_that_a_relay_tells_again_are_dropped() -> None:
    rig = Rig(Handler())
    log = [record(placed(n), offset=o, sequence=sequence(n)) for o, n in enumerate((1, 2, 1, 2, 3))]
    await rig.consumer.process(log)
    assert rig.handler.applied == ["e1", "e2", "e3"]
