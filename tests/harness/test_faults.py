"""Faults are drawn alike from one seed, do not undo each other, and are undone; recovery is not seen too early."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.torture.faults import KINDS, Fault, Plan, Stage, draw
from tests.torture.faults.fault import Stroke
from tests.torture.faults.network import TROUBLES, LinkTroubled
from tests.torture.faults.recovery import Sight
from tests.torture.proxy import Link, Links


class Bare(SimpleNamespace):
    """As much of a stage as drawing looks at."""

    def hold(self, thing: str) -> asyncio.Lock:
        return self.holds.setdefault(thing, asyncio.Lock())  # type: ignore[no-any-return]


def stage(**differences: Any) -> Stage:
    names = ["scoring-1>kafka", "sync-2>mongo", "interactions-1>redis", "gateway>sync", "scoring-3>kafka", "sync>shop"]
    links = [Link(name, []) for name in names]
    parts: dict[str, Any] = {
        "plan": Plan(Path("/nowhere"), 26_000),
        "links": links,
        "clocks": SimpleNamespace(names=lambda: ["kafka", "mongo", "scoring-1"]),
        "disk": object(),
        "channels": ["shop"],
        "holds": {},
    }
    return cast("Stage", Bare(**parts | differences))


def drawn(seed: int, kinds: Sequence[str] | None = None, count: int = 300) -> list[Fault]:
    rng, where = random.Random(seed), stage()
    return [draw(rng, where, kinds) for _ in range(count)]


def test_one_seed_draws_the_same_faults_and_another_others() -> None:
    first, again, other = ([repr(fault) for fault in drawn(seed)] for seed in (7, 7, 8))
    assert first == again
    assert first != other


def test_every_kind_is_drawn_and_is_what_it_says() -> None:
    assert {fault.kind for fault in drawn(1)} == set(KINDS)
    for kind in KINDS:
        fault = drawn(2, [kind], 1)[0]
        assert fault.kind == kind
        assert isinstance(fault, Fault)
        assert fault.hurt or "gateway" in fault.target


def test_links_that_only_a_guest_uses_are_not_drawn() -> None:
    targets = {fault.target for fault in drawn(3, list(TROUBLES))}
    assert targets == {"scoring-1>kafka", "sync-2>mongo", "interactions-1>redis", "gateway>sync"}


def test_frozen_services_stay_so_for_longer_than_their_session_often_enough() -> None:
    seconds = [fault.seconds for fault in drawn(4, ["service frozen"])]
    assert 1 <= min(seconds) < 10 < max(seconds) <= 40
    assert sum(each > 10 for each in seconds) > len(seconds) / 3


def test_what_a_stage_does_not_have_is_not_drawn() -> None:
    poor = stage(disk=None, clocks=None, channels=[])
    kinds = ["disk full", "clock jumps", "channel down", "kafka killed"]
    assert {draw(random.Random(seed), poor, kinds).kind for seed in range(20)} == {"kafka killed"}
    with pytest.raises(ValueError, match="nothing"):
        draw(random.Random(1), poor, ["disk full"])


def test_a_kind_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="no such faults: earthquake"):
        draw(random.Random(1), stage(), ["earthquake"])


class Noted(Stroke):
    """Writes down what it does."""

    def __init__(self, where: Stage, name: str, notes: list[str], holds: Sequence[str], *, fails: bool = False) -> None:
        super().__init__(where, "noted", name, 1.0, [], holds)
        self._notes = notes
        self._fails = fails

    async def begin(self) -> None:
        self._notes.append(f"{self.target} begins")
        if self._fails:
            raise OSError("refused")

    async def end(self) -> None:
        self._notes.append(f"{self.target} ends")


async def test_two_that_strike_the_same_thing_take_turns() -> None:
    where, notes = stage(), list[str]()
    first, second = (Noted(where, name, notes, ["mongo"]) for name in ("first", "second"))
    await first.strike()
    striking = asyncio.create_task(second.strike())
    await asyncio.wait([striking], timeout=0.05)
    assert notes == ["first begins"]
    await first.heal()
    await striking
    await second.heal()
    assert notes == ["first begins", "first ends", "second begins", "second ends"]


async def test_healing_twice_or_without_a_strike_does_nothing() -> None:
    where, notes = stage(), list[str]()
    fault = Noted(where, "it", notes, ["mongo"])
    await fault.heal()
    await fault.strike()
    await asyncio.gather(fault.heal(), fault.heal())
    assert notes == ["it begins", "it ends"]
    assert fault.over > 0


async def test_a_strike_that_fails_is_undone_and_lets_go() -> None:
    where, notes = stage(), list[str]()
    with pytest.raises(OSError, match="refused"):
        await (failing := Noted(where, "failing", notes, ["mongo"], fails=True)).strike()
    await failing.heal()
    await Noted(where, "next", notes, ["mongo"]).strike()
    assert notes == ["failing begins", "failing ends", "next begins"]


async def test_who_is_interrupted_while_waiting_for_a_turn_holds_nothing() -> None:
    where, notes = stage(), list[str]()
    first = Noted(where, "first", notes, ["b"])
    await first.strike()
    waiting = asyncio.create_task(Noted(where, "second", notes, ["a", "b"]).strike())
    await asyncio.wait([waiting], timeout=0.05)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await asyncio.wait_for(Noted(where, "third", notes, ["a"]).strike(), 1)
    assert notes == ["first begins", "third begins"]


@pytest.mark.parametrize("kind", sorted(TROUBLES))
async def test_every_trouble_of_a_link_passes(kind: str) -> None:
    links = Links()
    link = await links.open("scoring-1>kafka", [("127.0.0.1", 9)])
    for trouble in TROUBLES[kind]:
        fault = LinkTroubled(stage(links=links), link.name, trouble, 1.0)
        assert fault.hurt == ("scoring",)
        await fault.strike()
        assert not link.calmed or kind == "link reset"
        await fault.heal()
        assert link.calmed
    await links.close()


def test_recovery_is_when_all_that_waits_has_moved() -> None:
    before = Sight({"a": 5, "b": 5}, {"a": 9, "b": 9})
    one_moved = Sight({"a": 6, "b": 5}, {"a": 9, "b": 9})
    both_moved = Sight({"a": 6, "b": 6}, {"a": 9, "b": 9})
    nothing_for_b = Sight({"a": 6, "b": 9}, {"a": 9, "b": 9})
    assert one_moved.waiting(before) == ["b"]
    assert both_moved.waiting(before) == []
    assert nothing_for_b.waiting(Sight({"a": 5, "b": 9}, {"a": 9, "b": 9})) == []
    assert both_moved.moved(before)
    assert not before.moved(before)
