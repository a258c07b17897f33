"""What the models say of many customers at once, and whether it is news against what was told last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from services.scoring.domain.bands import Band, Flags
from services.scoring.domain.fitting import Floats
from services.scoring.domain.histogram import X_EDGES, Ints
from services.scoring.domain.mbg_cnbd import MbgCnbd, Outlook, outlook
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
class Predictions:
    p_alive: Floats
    p_churn: Floats
    expected_purchases: Floats
    expected_spend: Floats
    value: Floats
    segment: Codes
    also: tuple[Codes, Codes]
    """The segments if thresholds lay a little lower or higher."""

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
        )

    @classmethod
    def together(cls, parts: Sequence["Predictions"], places: Sequence[Ints | slice], customers: int) -> "Predictions":
        """Of groups of customers, and where each stands among all; at least one group."""

        def whole(some: Sequence[Any]) -> Any:
            every = np.empty((*some[0].shape[:-1], customers), some[0].dtype)
            for part, where in zip(some, places, strict=True):
                every[..., where] = part
            return every

        also = [whole([one.also[side] for one in parts]) for side in (0, 1)]
        return cls(
            p_alive=whole([one.p_alive for one in parts]),
            p_churn=whole([one.p_churn for one in parts]),
            expected_purchases=whole([one.expected_purchases for one in parts]),
            expected_spend=whole([one.expected_spend for one in parts]),
            value=whole([one.value for one in parts]),
            segment=whole([one.segment for one in parts]),
            also=(also[0], also[1]),
        )


def predict(parameters: Parameters, histories: Histories, now: datetime, horizon_days: int) -> Predictions:
    """Of each customer by the parameters of the channel that they came by.

    The horizon is the season's clock's, and of a customer's own tempo; who is still there is told without them.
    """
    groups = list(parameters.groups(histories.came))
    parts = [_predict(parameters, one.visits, histories.at(one.where), day_of(now), horizon_days) for one in groups]
    if len(parts) == 1:
        return parts[0]
    return Predictions.together(parts, [one.where for one in groups], len(histories.x))


def _predict(
    parameters: Parameters, visits: Purchasing, histories: Histories, today: int, horizon_days: int
) -> Predictions:
    x, t_x, age = histories.x, histories.last_day - histories.first_day, histories.age(today)
    within = horizon_of(parameters, histories, today, horizon_days)
    alive, silent, churn, purchases = ahead(visits, x, t_x, age, within)
    spend = parameters.spends.expected_spend(np.where(histories.spend > 0, x, 0.0), histories.spend)
    segment, fewer, more = (
        segments(age, alive, silent, histories.money, parameters.top_money, slack) for slack in (0, -SLACK, SLACK)
    )
    return Predictions(alive, churn, purchases, spend, purchases * spend, segment, (fewer, more))


def horizon_of(parameters: Parameters, histories: Histories, day: int, horizon_days: int) -> Floats | float:
    """How long the days after that one are to each customer: on the season's clock, and at their own pace where there is one.

    One number for all where it is the same, which is quicker to compute with.
    """
    season = parameters.season.ahead(day, horizon_days)
    return season * histories.tempo(parameters.tempo, day) if parameters.tempo else season


def ahead(visits: Purchasing, x: Floats, t_x: Floats, age: Floats, horizon: Floats | float) -> Outlook:
    """What the model of purchasing says of customers within the horizon, one for all or each customer's own; times in days."""
    if isinstance(visits, MbgCnbd):
        return outlook(visits, x, t_x, age, horizon)
    seen = (x, t_x, age)
    quiet, purchases = visits.p_no_purchase(*seen, horizon), visits.expected_purchases(*seen, horizon)
    return Outlook(visits.p_alive(*seen), visits.p_silent(*seen), quiet, purchases)


def material(told: Told, new: Predictions, top_money: float) -> Flags:
    """Which customers' predictions have left the bands around what was told last; all are news where nothing was told."""
    probability, value = Band(absolute=P_BAND), Band(relative=VALUE_BAND, floor=NO_VALUE * top_money)
    moved = probability.left(told.p_alive, new.p_alive) | probability.left(told.p_churn, new.p_churn)
    moved |= value.left(told.value, new.value) | ~plausible_still(told.segment, new.segment, *new.also)
    return moved
