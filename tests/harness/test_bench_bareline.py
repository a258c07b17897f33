"""The bare line says what the bench's observer and receivers look for, and what follows from its figures is computed from them."""

from __future__ import annotations

import asyncio
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder

from tests.bench.bareline.channels import NotTaken, Webhook
from tests.bench.bareline.figures import Played, disturbed, named, row, soonest, verdict
from tests.bench.bareline.hop import Change, Manner, OutOfStep, publish
from tests.bench.bareline.wire import (
    LENGTH,
    SECRET,
    customer_id,
    customer_of,
    kind_of,
    reporter,
    score,
    signed,
    text,
    to,
    view,
)
from tests.bench.trial.arrivals import read_body
from tests.bench.trial.receivers import Hooks, Received, signed as is_signed
from tests.bench.trial.watch import PURCHASES, SCORES
from tests.load.mix import mix_on
from tests.load.plan import messages


def trial(p50: float, p99: float, **changed: Any) -> Played:
    given: dict[str, Any] = {
        "manner": Manner(),
        "rate": 1000.0,
        "void": "",
        "unsustained": "",
        "busy": 0.5,
        "latencies": {
            effect: ({"p50": p50, "p95": p99, "p99": p99}, 10, 0)
            for effect in ("stored", "score visible", "webhook", "sse")
        },
        "cpu": {"mongo": 300.0, "sync": 200.0},
        "parts": {"services": 200.0, "servers": 300.0, "load and receivers": 0.0},
        "batches": {"interactions": 9.87, "scoring": 8.0, "sync": 7.0},
        "reads": 7.0,
        "generator": {},
    }
    return Played(**{**given, **changed})


def test_what_the_line_reads_of_a_record_is_what_the_load_has_written() -> None:
    for message in messages(mix_on("kafka", customers=50), 100, seed=3):
        assert message.key is not None
        assert kind_of(message.headers) == message.entry.kind.encode()
        assert reporter(message.key) == message.entry.customer


def test_receivers_and_the_observer_find_what_they_look_for() -> None:
    told = view(42, orders=3, interactions=2, of=b'{"a":"line"}')
    assert read_body(told, 0, 1.5)[2:] == (customer_id(42), 42, 3, 2)
    assert len(told) > LENGTH.view
    assert b"\n" not in told
    found = PURCHASES.search(score(7, b"{}"))
    assert found
    assert found[1] == b"7"


def test_webhooks_are_signed_as_receivers_verify() -> None:
    body = view(1, 1, 0, b"x")
    assert is_signed(b"POST / HTTP/1.1\r\n" + signed(body, 9), body, SECRET)


def test_a_customer_is_found_again_by_the_key_and_stays_in_one_partition() -> None:
    message = to(SCORES, 4_711, b"")
    assert customer_of(message.key) == 4_711
    assert message.partition == to("crm.sales", 4_711, b"").partition


@pytest.mark.parametrize("length", [1, 5, 12])
def test_texts_are_as_long_as_they_are_to_be(length: int) -> None:
    assert len(text(b"abcde", length)) == length


class Broker:
    """Takes batches of some bytes, and keeps them."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.sent: list[tuple[str, int, int]] = []

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(self.most, 0)

    async def send_batch(self, batch: BatchBuilder, topic: str, *, partition: int) -> Any:
        self.sent.append((topic, partition, batch.record_count()))
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


async def test_what_does_not_fit_into_one_batch_goes_in_the_next() -> None:
    broker = Broker(most=500)
    await publish(broker, [to(SCORES, customer, b"x" * 150) for customer in (0, 1, 0, 0, 0, 0)])
    assert sum(count for _, _, count in broker.sent) == 6
    assert sum(count for _, partition, count in broker.sent if partition == 0) == 5
    assert all(count <= 2 for _, _, count in broker.sent)


def test_a_write_that_finds_nothing_ends_the_line() -> None:
    Change._judge({"n": 2}, 2)
    with pytest.raises(OutOfStep):
        Change._judge({"n": 1}, 2)


async def test_every_view_of_a_batch_reaches_the_webhook_once(tmp_path: Path) -> None:
    with closing(Received(tmp_path / "arrivals")) as received:
        server = await asyncio.get_running_loop().create_server(lambda: Hooks(received, SECRET), "127.0.0.1", 0)
        webhook = Webhook(server.sockets[0].getsockname()[1])
        for orders in (1, 2):
            await webhook.send({customer: view(customer, orders, 0, b"{}") for customer in range(100)})
        webhook.close()
        server.close()
        assert (received.deliveries[0], received.events[0], received.wrong_signatures) == (200, 200, 0)


async def test_a_receiver_that_refuses_ends_the_line() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(asyncio.IncompleteReadError):  # of several connections one is used
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 500 Internal Server Error\r\n\r\n")

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    webhook = Webhook(server.sockets[0].getsockname()[1])
    with pytest.raises(NotTaken):
        await webhook.send({1: view(1, 1, 0, b"{}")})
    webhook.close()
    server.close()


def test_the_soonest_line_is_one_that_meets_the_target_or_else_keeps_up() -> None:
    behind, slow, unsteady = trial(20, 90, unsustained="lag grew"), trial(60, 200), trial(50, 900)
    assert soonest([behind, unsteady, slow]) is slow
    assert soonest([behind, unsteady]) is unsteady


def test_a_line_that_is_too_late_by_itself_says_so() -> None:
    [figures, judged] = verdict(trial(120, 300), [])
    assert "120 ms (p50) and 300 ms (p99) with 500 of the 2,000 us" in figures
    assert judged.startswith("So no program")


def test_what_is_left_is_what_some_line_can_still_bear() -> None:
    some, more, most = (trial(20 * times, 300, manner=Manner(deciding_us=40 * times)) for times in (2, 3, 6))
    _, borne, missed, _ = verdict(trial(20, 90), [[some, more, most], [replace(most, manner=Manner(deciding_us=40))]])
    assert borne.startswith("The most deciding that was borne is 840 us an event: 60 ms (p50)")
    assert missed.startswith("The target was missed with 1,680 us (as they come, by the change stream), 280 us")
    assert len(verdict(trial(20, 90), [])) == 1


def test_a_row_tells_how_the_line_was_built() -> None:
    one = trial(20, 90, manner=Manner(gather_ms=10, direct=True, deciding_us=40))
    assert named(one) == "gathered for 10 ms, by itself"
    told = row(one)
    assert (told["webhook p50 ms"], told["cores busy"], told["CPU us an event"]) == (20, "50%", 500)
    assert told["records a batch, interactions"] == 9.9


def test_figures_of_a_machine_that_others_use_too_are_called_no_floor() -> None:
    assert disturbed([trial(20, 90, busy=0.27)]) == []
    [said] = disturbed([trial(20, 90, busy=0.27), trial(20, 90, busy=0.95)])
    assert said.startswith("Others had up to 70% of the cores")
