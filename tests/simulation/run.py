"""One seed, one run: the story, what struck it, and what was wrong in the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count as count_up, islice

from tests.simulation.stories.delivery import Delivery
from tests.simulation.stories.judged import Wrong
from tests.simulation.stories.pipeline import Pipeline
from tests.simulation.stories.story import Story
from tests.simulation.stories.unity import Unity
from tests.simulation.stories.withdrawal import Withdrawal
from tests.simulation.world.loop import Stuck
from tests.simulation.world.world import World

MOST_STEPS = 100_000
EVERY = 20
UNITY = (4, 14)
WITHDRAWAL = (19,)


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
    """Every tenth seed tells of persons, every twentieth of who is erased while they are delivered; of the others even ones of the
    core, odd ones of deliveries.
    """
    if seed % EVERY in UNITY:
        return Unity
    if seed % EVERY in WITHDRAWAL:
        return Withdrawal
    return Delivery if seed % 2 else Pipeline


def seeds_of(story: Callable[[World], Story], count: int) -> Sequence[int]:
    """The first of all seeds that tell this story."""
    return list(islice((seed for seed in count_up() if story_of(seed) is story), count))


def run(seed: int, *, tracing: bool = False) -> Outcome:
    world = World(seed, tracing=tracing)
    story = story_of(seed)(world)
    try:
        world.run(story.told, MOST_STEPS)
        wrong = story.wrong()
    except Stuck as stuck:
        wrong = [Wrong("the world settles", str(stuck))]
    return Outcome(seed, wrong, world.loop.steps, world.loop.now, dict(world.weather.struck), world.trace)
