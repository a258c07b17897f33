"""What the models say of many customers at once, and whether it is news against what was told last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from services.scoring.domain.bands import Band, Flags
from services.scoring.domain.fitting import Floats
from services.scoring.domain.histogram import X_EDGES, Ints
from services.scoring.domain.mbg_nbd import MbgNbd
from services.scoring.domain.model import Parameters
from services.scoring.domain.money_cells import cells_of
from services.scoring.domain.population import Ranked, Standing
from services.scoring.domain.purchases import Purchases, day_of
from services.scoring.domain.purchasing import Purchasing
from services.scoring.domain.segments import SLACK, Codes, plausible_still, segments
from services.scoring.domain.tempo import Tempo

P_BAND = 0.02
"""P(alive) and P(no purchase) are news when they have moved by more than this since they were last told."""
VALUE_BAND = 0.05
"""Value is news when it has moved by more than this part of what was told."""
NO_VALUE = 0.01
"""Values below this part of the top fifth's money count as this much: nobody cares for 5 % of a cent."""


@dataclass(frozen=True)
class Histories:
    """What the models read of each customer with a purchase day: x, first and last day, mean repeat spend, money, and the days
    between the last two purchase days, NaN where there was one alone or where that was not kept yet.
    """

    x: Floats
    first_day: Floats
    last_day: Floats
    spend: Floats
    money: Floats
    last_gap: Floats
    came: Ints | None = None
    """Codes of the channels that they came by (`channels.code`); None: all count as the base."""

    @classmethod
    def of(cls, customers: Sequence[Purchases], came: Ints | None = None) -> "Histories":
        rows = [
            (c.frequency, c.first_day, c.last_day, max(c.repeat_spend, 0.0), c.micros / 1e6, c.last_gap)
            for c in customers
        ]
        x, first_day, last_day, spend, money, last_gap = np.array(rows, dtype=np.float64).reshape(-1, 6).T
        return cls(x, first_day, last_day, spend, money, last_gap, came)

    def at(self, where: Ints | slice) -> "Histories":
        """Some of the customers."""
        if isinstance(where, slice):
            return self
        return Histories(
            x=self.x[where],
            first_day=self.first_day[where],
            last_day=self.last_day[where],
            spend=self.spend[where],
            money=self.money[where],
            last_gap=self.last_gap[where],
            came=None if self.came is None else self.came[where],
        )

    @property
    def first_money(self) -> Floats:
        """Of the first purchase day, as far as the others did not bring less than nothing."""
        return self.money - self.x * self.spend

    def age(self, day: int) -> Floats:
        """At the end of that day. A channel's clock may run ahead of ours: nobody is younger than their last purchase."""
        return np.maximum(day, self.last_day) - self.first_day

    def traits(self, usual: Tempo, day: int) -> Floats:
        """(customers, 2), by what is usual: `Tempo.traits`."""
        return usual.traits(self.x, self.age(day), self.last_gap, self.first_money)

    def tempo(self, tempo: Tempo, day: int) -> Floats:
        """(customers,): by what factor the time after that day passes faster for each."""
        return tempo.of(self.traits(tempo, day))

    def ranked(self, standing: Standing | None, told: Ranked | None = None) -> Ranked:
        """Where these customers stand; with `told`, clear changes only."""
        if standing is None:
            return told or Ranked.nowhere(len(self.x))
        micros: Ints = np.rint(self.money * 1e6).astype(np.int64)
        bought = np.searchsorted(X_EDGES, self.x, side="right")
        return standing.of(np.stack([self.last_day.astype(np.int64), bought, cells_of(micros)], axis=1), micros, told)


@dataclass(frozen=True)
class Told:
    """What was last told of each customer; NaN and -1 where nothing was predicted."""

    p_alive: Floats
    p_churn: Floats
    value: Floats
    segment: Codes
    ranked: Ranked

    def at(self, where: Ints | slice) -> "Told":
        """Of some of the customers."""
        if isinstance(where, slice):
            return self
        alive, churn, value = self.p_alive[where], self.p_churn[where], self.value[where]
        return Told(alive, churn, value, self.segment[where], self.ranked.at(where))


@dataclass(frozen=True)
class Rhythm:
    """(k, customers): P(a purchase) and E[purchases] within the horizon of who is there, by steps done since the last one."""

    buys: Floats
    purchases: Floats


@dataclass(frozen=True)
class Predictions:
    p_alive: Floats
    p_churn: Floats
    expected_purchases: Floats
    expected_spend: Floats
    value: Floats
    segment: Codes
    also: tuple[Codes, Codes]
    """The segments if thresholds lay a little lower or higher."""
    rhythm: Rhythm | None = None
    """Of buyers with a rhythm."""

    def told(self, ranked: Ranked) -> Told:
        """When this is told."""
        return Told(self.p_alive, self.p_churn, self.value, self.segment, ranked)

    def at(self, where: Ints | slice) -> "Predictions":
        """Of some of the customers."""
        if isinstance(where, slice):
            return self
        return Predictions(
            p_alive=self.p_alive[where],
            p_churn=self.p_churn[where],
            expected_purchases=self.expected_purchases[where],
            expected_spend=self.expected_spend[where],
            value=self.value[where],
            segment=self.segment[where],
            also=(self.also[0][where], self.also[1][where]),
            rhythm=self.rhythm and Rhythm(self.rhythm.buys[:, where], self.rhythm.purchases[:, where]),
        )

    @classmethod
    def together(cls, parts: Sequence["Predictions"], places: Sequence[Ints | slice], customers: int) -> "Predictions":
        """Of groups of customers, and where each stands among all; at least one group."""

        def whole(some: Sequence[Any]) -> Any:
            every = np.empty((*some[0].shape[:-1], customers), some[0].dtype)
            for part, where in zip(some, places, strict=True):
                every[..., where] = part
            return every

        rhythms = [part.rhythm for part in parts if part.rhythm]
        also = [whole([one.also[side] for one in parts]) for side in (0, 1)]
        ahead = (
            Rhythm(whole([one.buys for one in rhythms]), whole([one.purchases for one in rhythms])) if rhythms else None
        )
        return cls(
            p_alive=whole([one.p_alive for one in parts]),
            p_churn=whole([one.p_churn for one in parts]),
            expected_purchases=whole([one.expected_purchases for one in parts]),
            expected_spend=whole([one.expected_spend for one in parts]),
            value=whole([one.value for one in parts]),
            segment=whole([one.segment for one in parts]),
            also=(also[0], also[1]),
            rhythm=ahead,
        )


def predict(parameters: Parameters, histories: Histories, now: datetime, horizon_days: int) -> Predictions:
    """Of each customer by the parameters of the channel that they came by.

    The horizon is the season's clock's, and of a customer's own tempo; who is still there is told without them.
    """
    season = parameters.season.ahead(day_of(now), horizon_days)
    groups = list(parameters.groups(histories.came))
    parts = [_predict(parameters, one.visits, histories.at(one.where), now, season) for one in groups]
    if len(parts) == 1:
        return parts[0]
    return Predictions.together(parts, [one.where for one in groups], len(histories.x))


def _predict(
    parameters: Parameters, visits: Purchasing, histories: Histories, now: datetime, season: float
) -> Predictions:
    x = histories.x
    t_x, age = histories.last_day - histories.first_day, histories.age(day_of(now))
    seen = (x, t_x, age)
    # One horizon for all is quicker to compute with.
    ahead = season * histories.tempo(parameters.tempo, day_of(now)) if parameters.tempo else season
    alive, silent = visits.p_alive(*seen), visits.p_silent(*seen)
    purchases, churn, rhythm = _ahead(visits, seen, ahead)
    spend = parameters.spends.expected_spend(np.where(histories.spend > 0, x, 0.0), histories.spend)
    segment, fewer, more = (
        segments(age, alive, silent, histories.money, parameters.top_money, slack) for slack in (0, -SLACK, SLACK)
    )
    return Predictions(alive, churn, purchases, spend, purchases * spend, segment, (fewer, more), rhythm)


def _ahead(
    visits: Purchasing, seen: tuple[Floats, Floats, Floats], horizon_days: Floats | float
) -> tuple[Floats, Floats, Rhythm | None]:
    """Expected purchases, P(no purchase); and what both are mixed of, where that depends on how much of a rhythm is over."""
    if isinstance(visits, MbgNbd) or visits.k == 1:
        return visits.expected_purchases(*seen, horizon_days), visits.p_no_purchase(*seen, horizon_days), None
    x, _, age = seen
    rhythm = Rhythm(visits.buys(x, age, horizon_days), visits.purchases(x, age, horizon_days))
    return visits.expected(*seen, rhythm.purchases), visits.quiet(*seen, rhythm.buys), rhythm


def material(told: Told, new: Predictions, top_money: float) -> Flags:
    """Which customers' predictions have left the bands around what was told last; all are news where nothing was told."""
    probability, value = Band(absolute=P_BAND), Band(relative=VALUE_BAND, floor=NO_VALUE * top_money)
    moved = probability.left(told.p_alive, new.p_alive) | probability.left(told.p_churn, new.p_churn)
    moved |= value.left(told.value, new.value) | ~plausible_still(told.segment, new.segment, *new.also)
    return moved
