"""What is decided and looked at now and then, in memory: costs, reviews, choices, contests, paces, channels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.scoring.domain.calibration import Calibration
from services.scoring.domain.profit import NOTHING_KNOWN, CostModel
from services.scoring.domain.rivals import Tables
from services.scoring.handlers import ChannelLook, Choice, Look, PaceLook, Review


@dataclass
class MemoryCosts:
    costs: CostModel = NOTHING_KNOWN
    look: Look | None = None

    async def model(self) -> CostModel:
        return self.costs

    async def set(self, model: CostModel) -> None:
        self.costs = model

    async def last_look(self) -> Look | None:
        return self.look

    async def note_look(self, look: Look) -> None:
        self.look = look


@dataclass
class MemoryReviews:
    reviews: dict[tuple[int, int], Review] = field(default_factory=dict)

    async def add(self, review: Review) -> None:
        self.reviews[review.cut, review.horizon_days] = review

    async def newest(self, limit: int = 1, before: int | None = None) -> list[Review]:
        older = [review for review in self.reviews.values() if before is None or review.cut < before]
        return sorted(older, key=lambda review: (review.cut, review.at), reverse=True)[:limit]


@dataclass
class MemoryChoices:
    noted: Choice | None = None

    async def choice(self) -> Choice | None:
        return self.noted

    async def note_choice(self, choice: Choice) -> None:
        self.noted = choice


@dataclass
class MemoryPaceLooks:
    noted: PaceLook | None = None

    async def pace_look(self) -> PaceLook | None:
        return self.noted

    async def note_pace_look(self, look: PaceLook) -> None:
        self.noted = look


@dataclass
class MemoryChannelLooks:
    noted: ChannelLook | None = None

    async def channel_look(self) -> ChannelLook | None:
        return self.noted

    async def note_channel_look(self, look: ChannelLook) -> None:
        self.noted = look


@dataclass
class MemoryContests:
    said: dict[int, dict[str, Calibration]] = field(default_factory=dict)
    last: tuple[datetime, int] | None = None

    async def tables(self, spans: Sequence[int]) -> Tables:
        return {span: self.said[span] for span in spans if span in self.said}

    async def add(self, span: int, said: Mapping[str, Calibration]) -> None:
        self.said[span] = self.said.get(span, {}) | dict(said)

    async def forget(self) -> None:
        self.said.clear()

    async def contested(self) -> tuple[datetime, int] | None:
        return self.last

    async def note_contest(self, at: datetime, customers: int) -> None:
        self.last = at, customers
