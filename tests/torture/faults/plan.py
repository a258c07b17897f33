"""What a stage is to be like: where, how many, with which settings. Nothing runs here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import services
from deploy.local.layout import Layout, Ports, shifted
from deploy.local.routes import SERVICES

Command = Callable[[str, int], tuple[str, ...]]
"""The program of a service on a port."""
STRIDE = 10
LISTENERS = 40
"""Where the broker's further listeners begin, from the base."""
MOST_INSTANCES = 3


@dataclass(frozen=True)
class Instance:
    """One process of a service."""

    service: str
    number: int

    @property
    def name(self) -> str:
        return f"{self.service}-{self.number}"

    @property
    def listener(self) -> str:
        """Of the broker, for this instance alone."""
        return self.name.upper().replace("-", "_")


@dataclass(frozen=True)
class Plan:
    """All that `Stage.open` has to know."""

    state: Path
    base: int
    """All ports lie between it and 99 more; those of the links are whatever is free."""
    instances: int = 2
    """Of each service; one more of each may join for a while."""
    partitions: int = 4
    settings: Mapping[str, str] = field(default_factory=dict)
    """What every service is told, as environment."""
    command: Command = services.uvicorn
    """To run something else in a service's place, such as one with a planted bug."""
    disk_mb: int | None = None
    """The database gets a disk of its own of this size, which can then be filled; needs root. None: the state's disk."""
    clocks: bool = True
    """The clocks of services and database can be set; needs a C compiler."""
    seed: int = 0
    """Of the network's jitter."""

    @property
    def layout(self) -> Layout:
        return Layout(self.state, self._ports())

    def places(self) -> list[Instance]:
        """All instances that may ever run, those that join for a while last."""
        return [Instance(name, number + 1) for number in range(self.instances + 1) for name in SERVICES]

    def regulars(self) -> list[Instance]:
        return self.places()[: self.instances * len(SERVICES)]

    def _ports(self) -> Ports:
        if not 1 <= self.instances < MOST_INSTANCES:
            raise ValueError(f"instances must be from 1 to {MOST_INSTANCES - 1}")
        ports = shifted(self.base)
        for place, instance in enumerate(self.places()):
            row, column = divmod(place, len(SERVICES))
            ports[instance.name] = self.base + row * STRIDE + 1 + column
            ports[instance.listener] = self.base + LISTENERS + place
        return ports
