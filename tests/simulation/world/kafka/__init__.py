"""A broker in memory, as FastStream's and aiokafka's callers see it: logs, groups, rebalances, lost answers."""

from tests.simulation.world.kafka.cluster import Cluster
from tests.simulation.world.kafka.consumer import SimulatedBroker
from tests.simulation.world.kafka.producer import SimulatedProducer

__all__ = ["Cluster", "SimulatedBroker", "SimulatedProducer"]
