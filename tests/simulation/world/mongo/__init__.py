"""A replica set in memory, as the drivers' callers see it: snapshots, conflicts, lost answers, change streams."""

from tests.simulation.world.mongo.client import SimulatedClient
from tests.simulation.world.mongo.engine import Engine

__all__ = ["Engine", "SimulatedClient"]
