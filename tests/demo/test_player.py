"""The player keeps each road's order, the steady rate, and the moment each sale left."""

import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from demo.emitters.event import SALE
from demo.emitters.history import events
from demo.emitters.plan import Step, plan
from demo.emitters.player import Numbered, Player


class Road:
    """Takes everything at once."""

    def __init__(self) -> None:
        self.taken: list[Numbered] = []

    async def send(self, steps: Sequence[Numbered]) -> None:
        self.taken.extend(steps)


@pytest.fixture
def steps() -> list[Step]:
    return plan(events(share=0.02))


@pytest.fixture
def roads() -> dict[str, Road]:
    return {name: Road() for name in ("north-stores", "loyalty", "kafka")}


@pytest.fixture
def player(roads: dict[str, Road]) -> Player:
    return Player({name: road for name, road in roads.items() if name != "kafka"}, roads["kafka"])


async def test_every_step_is_sent_once_each_road_in_order(
    steps: list[Step], roads: dict[str, Road], player: Player
) -> None:
    told: list[int] = []
    await player.play(steps, told.append)
    assert sum(told) == len(steps)
    taken = sorted((numbered for road in roads.values() for numbered in road.taken), key=lambda numbered: numbered[0])
    assert [step for _, step in taken] == steps
    for name, road in roads.items():
        mine = [step for step in steps if (step.event.system.name if step.transport == "http" else "kafka") == name]
        assert [step for _, step in road.taken] == mine


async def test_a_steady_part_takes_its_time_and_notes_each_new_sale(steps: list[Step], player: Player) -> None:
    await player.play(steps[:1000], lambda _: None)
    assert player.sendings == []
    began = time.time()
    seconds = await player.play_steadily(steps[1000:1200], 1000.0, lambda _: None)
    assert 0.15 < seconds < 2
    new = [step for step in steps[1000:1200] if step.event.type == SALE and not step.again and not step.fault]
    assert [(noted.household, noted.ordered_at) for noted in player.sendings] == [
        (step.event.household, step.event.at) for step in new
    ]
    assert all(began <= noted.left_at <= time.time() for noted in player.sendings)


async def test_a_customers_orders_are_counted_over_everything_sent(mini: Path, roads: dict[str, Road]) -> None:
    steps = [Step(event) for event in events(mini)]
    player = Player({name: road for name, road in roads.items() if name != "kafka"}, roads["kafka"])
    await player.play(steps[:7], lambda _: None)
    await player.play_steadily([*steps[7:], Step(steps[6].event, again=True)], 10_000.0, lambda _: None)
    assert [(noted.household, noted.orders) for noted in player.sendings] == [(1, 2), (1, 3), (2, 1)]
