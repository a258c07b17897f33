"""How contracts will end, by what their holders do: learnt every night, used where it foretells better than contracts' age.

As churn from behaviour (`churning`), for those who have signed something: by choice and by fate, apart. What speaks otherwise
are the base's hazards, which `contracting` looks up.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

import numpy as np
import structlog

from services.scoring.domain.churn.calendar import Calendar, draw
from services.scoring.domain.contracts.facts import Contracts
from services.scoring.domain.contracts.judging import Foreteller, Learnt, learn
from services.scoring.domain.contracts.population import Population, moves
from services.scoring.domain.contracts.rows import Holder, Rows, known, rows_of, rows_on, runs_on
from services.scoring.domain.fitting import Doubt
from services.scoring.domain.promotion import Window
from services.scoring.domain.purchases import day_of
from services.scoring.domain.supervised.causes import INVOLUNTARY, VOLUNTARY
from services.scoring.handlers.churning import STALE
from shared.clock import Clock

log = structlog.get_logger()
PAGE_CUSTOMERS = 1_000
MOST_ROWS = 50_000
"""As of churn: of more holders, those of the lowest places."""
By = Literal["behaviour", "age"]


class EndingVersion(NamedTuple):
    """What a night has come to. `in_use`: as long as it is the newest, its model speaks for contracts."""

    version: int
    at: datetime
    horizon_days: int
    share: float
    """Of all holders of contracts, those who were looked at."""
    rows: int
    voluntary: int
    involuntary: int
    """Rows that ended so within the horizon."""
    doubt: Doubt | None
    windows: tuple[Window, ...]
    in_use: bool


class Ends(NamedTuple):
    """How probably a running contract ends within the horizon. `base_...`: by its age, and whether a payment is missing."""

    contract: str
    started_at: datetime
    horizon_days: int
    by: By
    version: int
    voluntary: float
    involuntary: float
    base_voluntary: float
    base_involuntary: float


class Signed(Protocol):
    async def contracts(self, customer_id: str) -> Contracts: ...

    async def signed(self, after: str | None, limit: int) -> tuple[Sequence[str], Sequence[Contracts]]:
        """The next customers with contracts, in the order of their ids."""
        ...

    async def behaviours(self, customers: Collection[str]) -> Mapping[str, bytes]:
        """Packed, of those who have done anything."""
        ...


class EndingModels(Protocol):
    async def latest(self) -> EndingVersion | None: ...

    async def add(self, version: EndingVersion, text: str | None) -> bool:
        """With the fitted model as text. False if there is such a version already."""
        ...

    async def text(self, version: int) -> str | None: ...


class _Base(NamedTuple):
    """What a look has read: all contracts as counts, and the rows of a share of their holders."""

    holders: int
    contracts: Population
    share: float
    rows: Rows


@dataclass
class Ending:
    deeds: Signed
    models: EndingModels
    clock: Clock
    horizon_days: int
    most_rows: int = MOST_ROWS
    _speaking: tuple[int, Foreteller] | None = None
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def look(self) -> EndingVersion | None:
        """Learn anew from all contracts. None where nobody has any."""
        now = await self.clock.now()
        calendar = Calendar(day_of(now), self.horizon_days)
        base = await self._base(calendar)
        if not base.holders:
            return None
        learnt = await asyncio.to_thread(learn, base.rows, calendar, base.contracts)
        newest, way = await self.models.latest(), base.rows.way
        made = EndingVersion(
            newest.version + 1 if newest else 1,
            now,
            self.horizon_days,
            base.share,
            len(base.rows),
            int((way == VOLUNTARY).sum()),
            int((way == INVOLUNTARY).sum()),
            learnt.doubt,
            learnt.windows,
            learnt.proven,
        )
        await self._keep(made, learnt)
        return made

    async def stale(self) -> bool:
        newest = await self.models.latest()
        return newest is None or await self.clock.now() >= newest.at + STALE

    async def _keep(self, made: EndingVersion, learnt: Learnt) -> None:
        text = await asyncio.to_thread(learnt.model.to_text) if learnt.model else None
        if not await self.models.add(made, text):
            log.warning("ending_version_taken", version=made.version)
        log.info("endings_learnt", version=made.version, rows=made.rows, in_use=made.in_use, doubt=made.doubt)

    async def _base(self, calendar: Calendar) -> _Base:
        """Page by page, each in a thread. The share is halved whenever its rows turn out to be too many."""
        base, after = _Base(0, Population(), 1.0, Rows.none()), None
        while (page := await self.deeds.signed(after, PAGE_CUSTOMERS))[0]:
            did = await self.deeds.behaviours(page[0])
            base = await asyncio.to_thread(self._with, base, page, did, calendar)
            after = page[0][-1]
        return base

    def _with(
        self,
        base: _Base,
        page: tuple[Sequence[str], Sequence[Contracts]],
        did: Mapping[str, bytes],
        calendar: Calendar,
    ) -> _Base:
        customers, contracts = page
        counted = base.contracts.plus(moves([(Contracts(), one) for one in contracts]))
        every = [Holder(draw(name), one, did.get(name, b"")) for name, one in zip(customers, contracts, strict=True)]
        some = [one for one in every if one.draw.place < base.share]
        share, rows = base.share, base.rows.plus(rows_of(some, calendar)) if some else base.rows
        while len(rows) > self.most_rows:
            share /= 2
            rows = rows.part(rows.place < share)
        return _Base(base.holders + len(every), counted, share, rows)

    async def foretell(self, customer_id: str) -> list[Ends]:
        """Of contracts that run, as of the end of today; empty before anything was learnt from."""
        version = await self.models.latest()
        if version is None or version.horizon_days != self.horizon_days:
            return []
        speaking = await self._speaks(version.version)
        contracts, day = await self.deeds.contracts(customer_id), day_of(await self.clock.now()) + 1
        spells = runs_on(contracts, day)
        if speaking is None or not spells:
            return []
        did = (await self.deeds.behaviours([customer_id])).get(customer_id, b"")
        rows = rows_on([Holder(draw(customer_id), contracts, did)], np.array([day]), self.horizon_days)
        base = known(rows, speaking.hazards, self.horizon_days)
        said = (base.voluntary, base.involuntary)
        if version.in_use:
            said = await asyncio.to_thread(speaking.probabilities, rows, self.horizon_days)
        figures = zip(*(column.tolist() for column in (*said, base.voluntary, base.involuntary)), strict=True)
        by: By = "behaviour" if version.in_use else "age"
        return [
            Ends(spell.contract, spell.started_at, self.horizon_days, by, version.version, *of)
            for spell, of in zip(spells, figures, strict=True)
        ]

    async def _speaks(self, version: int) -> Foreteller | None:
        """The model of a version, read once; None where there was a doubt instead."""
        async with self._reading:
            if self._speaking is None or self._speaking[0] != version:
                text = await self.models.text(version)
                if text is None:
                    return None
                self._speaking = version, await asyncio.to_thread(Foreteller.from_text, text)
            return self._speaking[1]
