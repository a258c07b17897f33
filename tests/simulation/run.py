"""One seed, one run: the story, what struck it, and what was wrong in the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.simulation.stories.delivery import Delivery
from tests.simulation.stories.judged import Wrong
from tests.simulation.stories.pipeline import Pipeline
from tests.simulation.stories.story import Story
from tests.simulation.stories.unity import Unity
from tests.simulation.world.loop import Stuck
from tests.simulation.world.world import World

MOST_STEPS = 100_000
EVERY, UNITY = 10, 4


@dataclass(frozen=True)
class Outcome:
    """What became of a run."""

    seed: int
    wrong: Sequence[Wrong]
    steps: int
    seconds: float
    """Of simulated time."""
    struck: dict[str, int]
    trace: Sequence[str]

    @property
    def red(self) -> bool:
        return bool(self.wrong)


def story_of(seed: int) -> Callable[[World], Story]:
    """Every tenth seed tells of persons; of the others even ones of the core, odd ones of deliveries."""
    if seed % EVERY == UNITY:
        return Unity
    return Delivery if seed % 2 else Pipeline


def run(seed: int, *, tracing: bool = False) -> Outcome:
    world = World(seed, tracing=tracing)
    story = story_of(seed)(world)
    try:
        world.run(story.told, MOST_STEPS)
        wrong = story.wrong()
    except Stuck as stuck:
        wrong = [Wrong("the world settles", str(stuck))]
    return Outcome(seed, wrong, world.loop.steps, world.loop.now, dict(world.weather.struck), world.trace)
