"""Versions of models in memory: of the base, of who leaves, of whom actions persuade."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from services.scoring.domain.model import Model
from services.scoring.domain.population import Standing
from services.scoring.handlers import ChurnVersion, Report, UpliftVersion

V = TypeVar("V")


@dataclass
class Versions(Generic[V]):
    """By their numbers, which grow."""

    versions: dict[int, V] = field(default_factory=dict)

    async def latest(self) -> V | None:
        return self.versions[max(self.versions)] if self.versions else None

    async def version(self, version: int) -> V | None:
        return self.versions.get(version)

    async def page(self, before: int | None, limit: int) -> list[V]:
        older = sorted((one for one in self.versions if before is None or one < before), reverse=True)
        return [self.versions[one] for one in older[:limit]]


@dataclass
class MemoryModels(Versions[Model]):
    report: Report | None = None
    sweep: tuple[int, int] | None = None
    holder: str | None = None
    stands: Standing | None = None

    async def standing(self) -> Standing | None:
        return self.stands

    async def note_standing(self, standing: Standing) -> None:
        self.stands = standing

    async def as_of(self, moment: datetime) -> Model | None:
        return max(
            (one for one in self.versions.values() if one.fit.as_of <= moment),
            key=lambda one: one.version,
            default=None,
        )

    async def add(self, model: Model) -> bool:
        return self.versions.setdefault(model.version, model) is model

    async def note(self, report: Report) -> None:
        self.report = report

    async def last_refit(self) -> Report | None:
        return self.report

    async def swept(self) -> tuple[int, int] | None:
        return self.sweep

    async def note_sweep(self, version: int, day: int) -> None:
        self.sweep = version, day

    async def claim(self, holder: str, seconds: float) -> bool:
        self.holder = self.holder or holder
        return self.holder == holder

    async def release(self, holder: str) -> None:
        if self.holder == holder:
            self.holder = None


@dataclass
class MemoryChurnModels(Versions[ChurnVersion]):
    texts: dict[int, str | None] = field(default_factory=dict)

    async def text(self, version: int) -> str | None:
        return self.texts.get(version)

    async def add(self, version: ChurnVersion, text: str | None) -> bool:
        if version.version in self.versions:
            return False
        self.versions[version.version], self.texts[version.version] = version, text
        return True


@dataclass
class MemoryUpliftModels(Versions[UpliftVersion]):
    kept: dict[int, Mapping[str, str]] = field(default_factory=dict)

    async def texts(self, version: int) -> dict[str, str]:
        return dict(self.kept.get(version, {}))

    async def add(self, version: UpliftVersion, texts: Mapping[str, str]) -> bool:
        if version.version in self.versions:
            return False
        self.versions[version.version], self.kept[version.version] = version, dict(texts)
        return True
