"""Faults that strike at moments of their own: kills, pauses, restarts, elections, rebalances, lost offsets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.simulation.world.node import Node
from tests.simulation.world.world import World

RESTART = (0.3, 5.0)
PAUSE = (0.2, 10.0)
AWAY = (0.2, 3.0)
HISTORY_LOST = 0.08
"""How many of the runs may lose the oplog."""


class Chaos:
    """Strikes until it is told to cease; then brings everything back."""

    def __init__(self, world: World, nodes: Sequence[Node]) -> None:
        self._world = world
        self._nodes = nodes
        self.ceased = False
        self.history_lost = False
        kinds: list[Callable[[], None]] = [
            self._kill, self._kill, self._pause, self._restart, self._elect, self._broker_away, self._rebalance,
            self._rewind,
        ]  # fmt: skip
        if world.chance.random() < HISTORY_LOST:
            kinds += [self._forget, self._forget]
        # A few kinds a run: what they do together is seen better when not everything happens at once.
        self._kinds = world.chance.sample(kinds, world.chance.randint(0, 5))

    def at_random(self, within: float) -> None:
        """Plan some strikes."""
        if self._kinds:
            for _ in range(self._world.chance.randint(1, 6)):
                when = self._world.loop.now + self._world.chance.uniform(0.1, within)
                self._world.loop.outside_at(when, self._strike)

    def cease(self) -> None:
        self.ceased = True
        for node in self._nodes:
            if not node.up:
                node.start()

    def _strike(self) -> None:
        if not self.ceased:
            self._world.chance.choice(self._kinds)()

    def _some(self) -> Node | None:
        up = [node for node in self._nodes if node.up]
        return self._world.chance.choice(up) if up else None

    def kill(self, node: Node) -> None:
        node.kill()
        self._start_later(node)

    def _kill(self) -> None:
        if node := self._some():
            self.kill(node)

    def _restart(self) -> None:
        if node := self._some():
            node.stop()
            self._start_later(node)

    def _start_later(self, node: Node) -> None:
        if self._world.chance.random() < 0.5:
            node.instance = f"{node.instance.partition('+')[0]}+{self._world.loop.now:.0f}"

        def start() -> None:
            if not node.up:
                node.start()

        self._world.loop.outside_at(self._world.loop.now + self._world.chance.uniform(*RESTART), start)

    def _pause(self) -> None:
        if node := self._some():
            node.pause(self._world.chance.uniform(*PAUSE))

    def _elect(self) -> None:
        self._world.note("the database elects a new primary")
        self._world.engine.elect(self._world.chance.uniform(*AWAY))

    def _broker_away(self) -> None:
        self._world.note("the broker is away")
        self._world.cluster.away_until = self._world.loop.now + self._world.chance.uniform(*AWAY)

    def _rebalance(self) -> None:
        for group in self._world.cluster.groups.values():
            self._world.cluster.rebalance(group)

    def _rewind(self) -> None:
        """The broker's memory of what was committed is lost, or is an old one."""
        for group in self._world.cluster.groups.values():
            for place, offset in group.committed.items():
                group.committed[place] = self._world.chance.choice((0, max(0, offset - 3)))
            self._world.cluster.rebalance(group)

    def _forget(self) -> None:
        self._world.note("the oplog is forgotten")
        self.history_lost = True
        self._world.engine.forget()
