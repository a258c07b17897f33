"""Runs of looks through the base: who is at one, and what has come of the last."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from shared.leases import Lease, OwnLease

State = Literal["running", "done", "nothing", "failed", "stopped", "abandoned"]
"""`nothing`: there was nothing to look at yet. `stopped`: its instance stopped, or could not renew its lease.
`abandoned`: its instance has died, and the lease has run out."""


class Run(NamedTuple):
    """One run of a look. `error`: the kind of the one that it failed with."""

    look: str
    id: str
    instance: str
    began_at: datetime
    state: State = "running"
    ended_at: datetime | None = None
    error: str | None = None


class RunLease(Lease, Protocol):
    async def holder(self) -> str | None: ...


class Runs(Protocol):
    def lease(self, look: str) -> RunLease: ...

    async def begin(self, run: Run) -> None: ...

    async def end(self, run: Run) -> None:
        """Nothing, if another run has begun since."""
        ...

    async def last(self, look: str) -> Run | None: ...


@dataclass
class OwnRuns:
    """Runs of looks that each instance has for itself, because what they find is kept in its memory."""

    runs: dict[str, Run] = field(default_factory=dict)
    leases: dict[str, OwnLease] = field(default_factory=dict)

    def lease(self, look: str) -> OwnLease:
        return self.leases.setdefault(look, OwnLease())

    async def begin(self, run: Run) -> None:
        self.runs[run.look] = run

    async def end(self, run: Run) -> None:
        if (last := self.runs.get(run.look)) and last.id == run.id:
            self.runs[run.look] = run

    async def last(self, look: str) -> Run | None:
        return self.runs.get(look)
