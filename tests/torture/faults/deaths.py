"""Processes killed, frozen, joining and leaving; servers killed and started again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from deploy.local.routes import SERVICES
from tests.torture.faults.fault import Stroke
from tests.torture.faults.stage import Stage


def service_of(instance: str) -> str:
    return instance.rpartition("-")[0] or instance


def hurt_by(instances: Sequence[str]) -> list[str]:
    """The services among them; the gateway keeps nobody from working."""
    return sorted({service_of(name) for name in instances} & set(SERVICES))


class ServicesKilled(Stroke):
    """SIGKILL of one process or several at once. The fleet starts them again after its pause, as a cluster would."""

    def __init__(self, stage: Stage, names: Sequence[str]) -> None:
        kind = "service killed" if len(names) == 1 else "services killed"
        super().__init__(stage, kind, " ".join(names), 0.0, hurt_by(names))
        self._names = names

    async def begin(self) -> None:
        await asyncio.gather(*(self.stage.fleet.kill(name) for name in self._names))

    async def end(self) -> None:
        """Nothing is left to be ended."""


class ServiceFrozen(Stroke):
    """SIGSTOP, and later SIGCONT: longer than the session, and it wakes up in the belief that its partitions are its own."""

    def __init__(self, stage: Stage, name: str, seconds: float) -> None:
        super().__init__(stage, "service frozen", name, seconds, hurt_by([name]), [name])

    async def begin(self) -> None:
        self.stage.fleet.freeze(self.target)

    async def end(self) -> None:
        self.stage.fleet.thaw(self.target)


class InstanceJoins(Stroke):
    """One more instance of a service takes its share for a while, then leaves in the orderly way."""

    def __init__(self, stage: Stage, name: str, seconds: float) -> None:
        super().__init__(stage, "instance joins", name, seconds, hurt_by([name]), [name])

    async def begin(self) -> None:
        await self.stage.fleet.start([self.target])

    async def end(self) -> None:
        await self.stage.fleet.leave(self.target)


class InstanceLeaves(Stroke):
    """An instance is taken away in the orderly way, and comes back later."""

    def __init__(self, stage: Stage, name: str, seconds: float) -> None:
        super().__init__(stage, "instance leaves", name, seconds, hurt_by([name]), [name])

    async def begin(self) -> None:
        await self.stage.fleet.leave(self.target)

    async def end(self) -> None:
        await self.stage.fleet.start([self.target])


class EngineKilled(Stroke):
    """SIGKILL of a server, which stays away for a while and comes back with what it had on its disk."""

    def __init__(self, stage: Stage, engine: str, seconds: float, hurt: Sequence[str] = SERVICES) -> None:
        super().__init__(stage, f"{engine} killed", engine, seconds, hurt, [engine])

    async def begin(self) -> None:
        await self.stage.engines.kill(self.target)

    async def end(self) -> None:
        await self.stage.engines.start(self.target)


class RedisEmptied(Stroke):
    """Redis is killed, and comes back knowing nothing."""

    def __init__(self, stage: Stage, seconds: float) -> None:
        super().__init__(stage, "redis emptied", "redis", seconds, ["interactions"], ["redis"])

    async def begin(self) -> None:
        await self.stage.engines.kill("redis")
        self.stage.engines.forget_redis()

    async def end(self) -> None:
        await self.stage.engines.start("redis")
