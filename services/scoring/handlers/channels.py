"""Channels: once a day those who came by different channels are compared, and told apart where that foretells better."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

import structlog

from services.scoring.domain.model import ByChannel
from services.scoring.domain.nomination import held_back
from services.scoring.domain.overview import NO_DAY
from services.scoring.domain.purchases import day_of
from services.scoring.domain.purchasing import Family
from services.scoring.domain.shrinkage import Base, Found, tell_apart
from services.scoring.handlers.customers import Packed
from services.scoring.handlers.models import Refitting
from services.scoring.handlers.reviewing import PAGE_CUSTOMERS
from shared.clock import Clock

log = structlog.get_logger()
MOST_CHANNELS = 64
"""Beyond the largest, customers are scored as the base: a version is a document, and a batch is grouped by channel."""


class ChannelLook(NamedTuple):
    """What a comparison has come to. `version`: the one in use afterwards."""

    at: datetime
    family: Family
    first_day: int
    found: Found
    version: int
    held: tuple[str, ...] = ()
    """Doubts for which no version could be made with what was found: that before stays in use."""


class Came(Protocol):
    async def packed(self, after: str | None, limit: int) -> Packed:
        """The next customers in the order of their ids."""
        ...

    async def channel(self, code: int) -> str | None:
        """The name of the channel of this code, as some customer has it."""
        ...


class ChannelLooks(Protocol):
    async def channel_look(self) -> ChannelLook | None: ...

    async def note_channel_look(self, look: ChannelLook) -> None: ...


@dataclass
class Channels:
    customers: Came
    looks: ChannelLooks
    refitting: Refitting
    clock: Clock

    async def look(self) -> ChannelLook | None:
        """Compare, and use what was found; None before there is a model."""
        model, last, now = self.refitting.scores.model, await self.looks.channel_look(), await self.clock.now()
        if model is None:
            return None
        family, today = model.parameters.family, day_of(now)
        first_day = last.first_day if last else (await self._through(today, today)).first_day
        cut = held_back(min(first_day, today), today)
        base = await self._through(today, cut)
        names = {code: name for code in base.largest(MOST_CHANNELS) if (name := await self.customers.channel(code))}
        found = await asyncio.to_thread(tell_apart, base, names, family, today, cut)
        held = await self._use(found.by_channel)
        used = self.refitting.scores.model or model
        look = ChannelLook(now, family, base.first_day, found, used.version, held)
        await self.looks.note_channel_look(look)
        log.info("channels_compared", spread=found.spread, apart=len(found.by_channel.channels), of=len(names))
        return look

    async def _through(self, today: int, cut: int) -> Base:
        """Page by page, each in a thread."""
        base, after = Base({}, NO_DAY), None
        while (page := await self.customers.packed(after, PAGE_CUSTOMERS)).customers:
            one = await asyncio.to_thread(Base.of, page.days, page.came, today, cut)
            base, after = await asyncio.to_thread(base.plus, one), page.customers[-1]
        return base

    async def _use(self, by_channel: ByChannel) -> tuple[str, ...]:
        """A version with them, unless that in use says the same. Doubts for which there is none."""
        model = self.refitting.scores.model
        known = model.parameters.by_channel if model else None
        if (known or ByChannel(by_channel.family, ())).close_to(by_channel):
            return ()
        report = await self.refitting.refit_in_turn(by_channel=by_channel)
        return report.doubts if report.outcome == "held" else ()

    async def ready(self) -> bool:
        return self.refitting.scores.model is not None

    async def due(self) -> bool:
        """Once a day, and as soon as another family of models is in use."""
        model, last = self.refitting.scores.model, await self.looks.channel_look()
        if model is None or last is None:
            return model is not None
        return day_of(await self.clock.now()) > day_of(last.at) or model.parameters.family != last.family
