"""Who will leave, by what customers do: learnt every night from the past, used where it foretells better than purchases alone.

The probability of no purchase within the horizon, by the model in use: that of behaviour where it has proved itself out of
time, else the base model's. What is told with scores (`crm.scores`) stays the base model's, which needs no look at the base.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, Protocol

import structlog

from services.scoring.domain.churn.calendar import Calendar, draw
from services.scoring.domain.churn.judging import Learnt, learn
from services.scoring.domain.churn.rows import Customer, Rows, known, named, row_of, rows_of
from services.scoring.domain.churn.words import Moved, moved, why
from services.scoring.domain.fitting import Doubt
from services.scoring.domain.model import Model, Parameters
from services.scoring.domain.promotion import Window
from services.scoring.domain.purchases import EPOCH, Purchases, day_of
from services.scoring.domain.supervised.classifier import Classifier
from services.scoring.handlers.scores import Scores
from shared.clock import Clock

log = structlog.get_logger()
PAGE_IDS = 5_000
CHUNK_CUSTOMERS = 1_000
"""Whose deeds are read and made to rows at once."""
MOST_ROWS = 50_000
"""Of all customers, those of the lowest places are kept, so many that their rows are no more. What more rows would teach of
fifty features is little; that many need some hundred megabytes while a model is fitted."""
STALE = timedelta(days=1)
By = Literal["behaviour", "purchases"]


class ChurnVersion(NamedTuple):
    """What a night has come to. `in_use`: as long as it is the newest, its model speaks for customers."""

    version: int
    at: datetime
    horizon_days: int
    share: float
    """Of all customers, those who were looked at."""
    rows: int
    left: int
    base_version: int
    """Of the base model whose figures the rows have."""
    judged_by: int
    """Of the base model as it was when the first window began, to which this one was held."""
    foreknown: bool
    """No version is that old: the base model has seen what it foretold, which makes it look better than it is."""
    doubt: Doubt | None
    windows: tuple[Window, ...]
    in_use: bool


class Foretold(NamedTuple):
    """`probability` of no purchase within the horizon, None before there is any model. `base`: the base model's."""

    customer_id: str
    as_of: datetime
    horizon_days: int
    probability: float | None
    by: By
    version: int | None
    base: float | None
    base_version: int | None
    why: str
    reasons: Sequence[Moved]


class Bought(Protocol):
    async def ids(self, after: str | None, limit: int) -> Sequence[str]:
        """All customers in the order of their ids."""
        ...

    async def days(self, customers: Collection[str]) -> Mapping[str, bytes]:
        """Packed purchases."""
        ...


class Did(Protocol):
    async def behaviours(self, customers: Collection[str]) -> Mapping[str, bytes]:
        """Packed, of those who have done anything."""
        ...


class BaseModels(Protocol):
    async def latest(self) -> Model | None: ...

    async def version(self, version: int) -> Model | None: ...

    async def as_of(self, moment: datetime) -> Model | None: ...


class ChurnModels(Protocol):
    async def latest(self) -> ChurnVersion | None: ...

    async def add(self, version: ChurnVersion, text: str | None) -> bool:
        """With the fitted model as text. False if there is such a version already."""
        ...

    async def text(self, version: int) -> str | None: ...


class _Speaking(NamedTuple):
    """A version, its model, and the base model's parameters by whose figures it has learnt."""

    version: int
    classifier: Classifier
    parameters: Parameters


@dataclass
class Churning:
    customers: Bought
    deeds: Did
    base: BaseModels
    models: ChurnModels
    scores: Scores
    clock: Clock
    most_rows: int = MOST_ROWS
    _speaking: _Speaking | None = None
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def look(self) -> ChurnVersion | None:
        """Learn anew from the whole base. None before there is a base model."""
        now = await self.clock.now()
        calendar = Calendar(day_of(now), self.scores.horizon_days)
        moment = EPOCH + timedelta(days=calendar.windows()[0][0])
        then, latest = await self.base.as_of(moment), await self.base.latest()
        if latest is None:
            return None
        before = then or latest
        share, rows = await self._rows(calendar)
        learnt = await asyncio.to_thread(learn, rows, calendar, before.parameters, latest.parameters)
        newest = await self.models.latest()
        made = ChurnVersion(
            *(newest.version + 1 if newest else 1, now, calendar.horizon, share, len(rows), int(rows.left.sum())),
            *(latest.version, before.version, then is None, learnt.doubt, learnt.windows, learnt.proven),
        )
        await self._keep(made, learnt)
        return made

    async def ready(self) -> bool:
        return await self.base.latest() is not None

    async def stale(self) -> bool:
        newest = await self.models.latest()
        return newest is None or await self.clock.now() >= newest.at + STALE

    async def _keep(self, made: ChurnVersion, learnt: Learnt) -> None:
        text = await asyncio.to_thread(learnt.classifier.to_text) if learnt.classifier else None
        if not await self.models.add(made, text):
            log.warning("churn_version_taken", version=made.version)
        log.info("churn_learnt", version=made.version, rows=made.rows, in_use=made.in_use, doubt=made.doubt)

    async def _rows(self, calendar: Calendar) -> tuple[float, Rows]:
        """Rows of the share of customers, by their places, that is small enough; halved whenever it turns out not to be."""
        share, rows, after = 1.0, Rows.none(), None
        while page := await self.customers.ids(after, PAGE_IDS):
            places = await asyncio.to_thread(_places, page)
            chosen = [customer for customer, place in zip(page, places, strict=True) if place < share]
            for begin in range(0, len(chosen), CHUNK_CUSTOMERS):
                more = await self._rows_of(chosen[begin : begin + CHUNK_CUSTOMERS], calendar)
                # In a thread: some megabytes are copied.
                share, rows = await asyncio.to_thread(_sampled, rows, more, share, self.most_rows)
            after = page[-1]
        return share, rows

    async def _rows_of(self, customers: Sequence[str], calendar: Calendar) -> Rows:
        bought, did = await self.customers.days(customers), await self.deeds.behaviours(customers)
        known_ = [Customer(draw(one), days, did.get(one, b"")) for one, days in bought.items()]
        return await asyncio.to_thread(rows_of, known_, calendar)

    async def foretell(self, customer_id: str) -> Foretold | None:
        """As of the end of today; None of a customer who has bought nothing."""
        now, row = await self.clock.now(), await self.row(customer_id)
        if row is None:
            return None
        horizon, model, version = self.scores.horizon_days, self.scores.model, await self.models.latest()
        base = float(known(row, model.parameters, horizon).base[0]) if model else None
        said = (customer_id, now, horizon)
        by_base = (base, model.version if model else None)
        if version is None or version.horizon_days != horizon:
            return Foretold(*said, base, "purchases", None, *by_base, "By purchases alone: nothing is learnt yet.", ())
        words = why(version.doubt, proven=version.in_use)
        speaking = await self._speaks(version)
        if speaking is None:
            return Foretold(*said, base, "purchases", version.version, *by_base, words, ())
        probability, reasons = await asyncio.to_thread(_said, speaking, row, horizon)
        return Foretold(*said, probability, "behaviour", version.version, *by_base, words, reasons)

    async def features(self, customer_id: str) -> dict[str, float | None] | None:
        """By name, as of the end of today; None without purchases or a base model."""
        row, model = await self.row(customer_id), self.scores.model
        if row is None or model is None:
            return None
        return named(known(row, model.parameters, self.scores.horizon_days))

    async def row(self, customer_id: str) -> Rows | None:
        """A customer as known at the end of today, or of the last purchase day where a channel's clock is ahead."""
        days = (await self.customers.days([customer_id])).get(customer_id, b"")
        bought = Purchases.unpack(days).days
        if not bought:
            return None
        did = (await self.deeds.behaviours([customer_id])).get(customer_id, b"")
        return row_of(days, did, max(day_of(await self.clock.now()), bought[-1].day) + 1)

    async def _speaks(self, version: ChurnVersion) -> _Speaking | None:
        """The model of a version that is in use, read once."""
        if not version.in_use:
            return None
        async with self._reading:
            if self._speaking is None or self._speaking.version != version.version:
                text, base = await self.models.text(version.version), await self.base.version(version.base_version)
                if text is None or base is None:
                    return None
                classifier = await asyncio.to_thread(Classifier.from_text, text)
                self._speaking = _Speaking(version.version, classifier, base.parameters)
            return self._speaking


def _sampled(rows: Rows, more: Rows, share: float, most: int) -> tuple[float, Rows]:
    rows = Rows.together([rows, more]).below(share)
    while len(rows) > most:
        share /= 2
        rows = rows.below(share)
    return share, rows


def _places(customers: Sequence[str]) -> list[float]:
    return [draw(customer).place for customer in customers]


def _said(speaking: _Speaking, row: Rows, horizon: int) -> tuple[float, list[Moved]]:
    features = known(row, speaking.parameters, horizon).features
    return float(speaking.classifier.probability_of(features)[0]), moved(speaking.classifier, features)
