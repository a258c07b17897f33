"""One seed, one run: the story, what struck it, and what was wrong in the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.simulation.stories.delivery import Delivery
from tests.simulation.stories.judged import Wrong
from tests.simulation.stories.pipeline import Pipeline
from tests.simulation.stories.story import Story
from tests.simulation.world.loop import Stuck
from tests.simulation.world.world import World

MOST_STEPS = 100_000


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


def run(seed: int, *, tracing: bool = False) -> Outcome:
    """Even seeds tell of the core, odd ones of deliveries."""
    world = World(seed, tracing=tracing)
    story: Story = Delivery(world) if seed % 2 else Pipeline(world)
    try:
        world.run(story.told, MOST_STEPS)
        wrong = story.wrong()
    except Stuck as stuck:
        wrong = [Wrong("the world settles", str(stuck))]
    return Outcome(seed, wrong, world.loop.steps, world.loop.now, dict(world.weather.struck), world.trace)
