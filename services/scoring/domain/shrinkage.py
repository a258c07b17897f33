"""Parameters of those who came by one channel: drawn towards the base's as far as that foretells best (empirical Bayes).

The logarithms of a channel's parameters are taken to be normal around those of the base, each with the same `spread`; the
fit is the maximum a posteriori, so that a channel of few customers stays with the base, and so does every direction in
which its customers tell nothing. How far channels differ at all is learnt as in `nomination`: whichever spread foretold best who
bought in the last quarter of the time that the base exists. All alike wins unless another is better beyond doubt.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, sqrt
from typing import NamedTuple

import numpy as np

from services.scoring.domain.channels import UNKNOWN, Channel
from services.scoring.domain.choice import ODDS, Search
from services.scoring.domain.fitting import Doubt, Floats, Likelihood, maximise
from services.scoring.domain.hindsight import then
from services.scoring.domain.histogram import Ints
from services.scoring.domain.mbg_cnbd import likelihood_of, likelihood_without_dropout
from services.scoring.domain.mbg_nbd import BOUNDS, Visits, enough
from services.scoring.domain.model import SAME, ByChannel
from services.scoring.domain.nomination import SURE
from services.scoring.domain.overview import NO_DAY, Snapshot
from services.scoring.domain.purchasing import Family, Fitted, Purchasing, fit_family, general, logs_of, shifted

SPREADS = (0.1, 0.25, 0.6, 1.5, inf)
"""Beside 0, which is all alike: channels' rates lie within a tenth of the base's, or a factor of 1.3, 1.8, 4.5; or anywhere."""
BEYOND_DOUBT = 2.326
"""Standard errors by which a spread must foretell better than all alike: by chance alone once in a hundred times at most."""


@dataclass(frozen=True)
class Stood:
    """Those who came by one channel, as of today and as of an earlier day, with who has bought since."""

    now: Snapshot
    before: Snapshot

    @classmethod
    def nobody(cls) -> "Stood":
        return cls(Snapshot.empty(), Snapshot.empty())

    def plus(self, other: "Stood") -> "Stood":
        return Stood(self.now.plus(other.now), self.before.plus(other.before))


class Base(NamedTuple):
    """By the codes of channels; pages of customers add up in any order."""

    by_code: Mapping[int, Stood]
    first_day: int
    """Of all purchases."""

    @classmethod
    def of(cls, packed: Sequence[bytes], came: Ints, today: int, cut: int) -> "Base":
        """From `Purchases.pack` and the codes of the channels that they came by."""
        at = [then(packed, day, today - day, came) for day in (today, cut)]
        snapshots: list[dict[int, Snapshot]] = []
        for seen in at:
            codes = seen.histories.came if seen.histories.came is not None else came[:0]
            theirs = {code: np.flatnonzero(codes == code) for code in np.unique(codes).tolist()}
            snapshots.append(
                {code: Snapshot.of(seen.histories.at(who), seen.purchases[who], 0.0) for code, who in theirs.items()}
            )
        now, before = snapshots
        nobody = Snapshot.empty()
        every = {code: Stood(now[code], before.get(code, nobody)) for code in now}
        return cls(every, int(at[0].histories.first_day.min(initial=NO_DAY)))

    def plus(self, other: "Base") -> "Base":
        every = dict(self.by_code)
        for code, stood in other.by_code.items():
            every[code] = every[code].plus(stood) if code in every else stood
        return Base(every, min(self.first_day, other.first_day))

    def largest(self, most: int) -> list[int]:
        """Codes of channels with enough customers to learn from, the largest first."""
        known = {code: one.now for code, one in self.by_code.items() if code != UNKNOWN and _enough(one.now)}
        return sorted(known, key=lambda code: (-known[code].customers, code))[:most]


class Tried(NamedTuple):
    """Nats a customer by which channels of this spread foretold better than all alike, and the standard error of that."""

    spread: float
    gain: float
    error: float

    @property
    def better(self) -> bool:
        return self.gain > BEYOND_DOUBT * self.error


class Apart(NamedTuple):
    """What a channel's own fit has come to; a doubt says why it is scored as the base is."""

    channel: Channel
    doubt: Doubt | None


class Found(NamedTuple):
    """`spread`: 0 where all are taken to be alike. `doubt`: why nothing could be tried."""

    spread: float
    tried: tuple[Tried, ...]
    channels: tuple[Apart, ...]
    by_channel: ByChannel
    doubt: Doubt | None = None


def tell_apart(base: Base, names: Mapping[int, str], family: Family, today: int, cut: int) -> Found:
    """`names` of the channels that may differ, by code; `cut`: the day that `Stood.before` is of; `family`: that in use."""
    whole = Stood.nobody()
    for stood in base.by_code.values():
        whole = whole.plus(stood)
    named = {names[code]: base.by_code[code] for code in names}
    now, before = _fit_base(whole.now, today, family), _fit_base(whole.before, cut, family)
    if isinstance(now, Doubt) or isinstance(before, Doubt) or not named:
        doubt = next((one for one in (now, before) if isinstance(one, Doubt)), None)
        return Found(0.0, (), (), ByChannel(family, ()), doubt)
    customers = whole.before.customers
    tried = tuple(_tried(named.values(), before, spread, cut, today, customers) for spread in SPREADS)
    best = max(tried, key=lambda one: one.gain)
    spread = best.spread if best.better else 0.0
    channels = tuple(_apart(name, stood.now.visits(today), now, spread) for name, stood in named.items())
    used = tuple(one.channel for one in channels if spread and not one.doubt)
    return Found(spread, tried, channels, ByChannel(Family.of(now), used))


def around(visits: Visits, base: Purchasing, spread: float) -> tuple[float, ...] | Doubt:
    """What a channel's parameters are more than the base's, in logarithms: the maximum a posteriori. `visits` in days."""
    if not enough(visits):
        return Doubt.TOO_FEW
    if not spread:
        return (0.0,) * len(logs_of(base))
    k, leaves = general(base).k, general(base).a > 0
    search, centre = Search(visits, 0.0, k), logs_of(base)
    centre[1] -= np.log(search.unit)
    likelihood = likelihood_of(search.visits, k, 0.0) if leaves else likelihood_without_dropout(search.visits, k, 0.0)
    bounds = (*BOUNDS, ODDS)[: len(centre)]
    best = maximise(_with_prior(likelihood, centre, spread), search.customers, np.exp(centre).tolist(), bounds)
    if not best.converged:
        return Doubt.NOT_CONVERGED
    shift = np.log(best.parameters) - centre
    # A parameter of the base that is at its bound may stay there.
    ran_off = np.asarray(best.at_bound) & (np.abs(shift) > SAME)
    if ran_off.any():
        return Doubt.ALL_ALIKE if ran_off[:2].any() else Doubt.NO_DROPOUT
    return tuple(shift.tolist())


def _with_prior(likelihood: Likelihood, centre: Floats, spread: float) -> Likelihood:
    def posterior(parameters: Floats) -> tuple[float, Floats]:
        value, gradient = likelihood(parameters)
        off = np.log(parameters) - centre
        return value - float(off @ off) / (2 * spread**2), gradient - off / spread**2 / parameters

    return posterior


def _fit_base(snapshot: Snapshot, day: int, family: Family) -> Purchasing | Doubt:
    """Of the family in use, or without leaving where that was not to be seen yet."""
    if not _enough(snapshot):
        return Doubt.TOO_FEW
    fit = fit_family(snapshot.visits(day), family)
    if fit is Doubt.NO_DROPOUT:
        fit = fit_family(snapshot.visits(day), Family(family.k, leaving=False))
    return fit.model if isinstance(fit, Fitted) else fit


def _enough(snapshot: Snapshot) -> bool:
    return bool(len(snapshot.cells.keys)) and enough(snapshot.visits(0))


def _apart(name: str, visits: Visits, base: Purchasing, spread: float) -> Apart:
    found, customers = around(visits, base, spread), int(visits.customers.sum())
    if isinstance(found, Doubt):
        return Apart(Channel(name, customers, (0.0,) * len(logs_of(base))), found)
    return Apart(Channel(name, customers, found), None)


def _tried(channels: Iterable[Stood], base: Purchasing, spread: float, cut: int, today: int, customers: int) -> Tried:
    """Customer by customer: alike ones share a cell, in which they gained one of two things."""
    total = squares = 0.0
    for stood in channels:
        gains = _gains(stood.before, base, spread, cut, today)
        if gains is not None:
            came = np.stack([stood.before.bought, stood.before.cells.sums[:, 0] - stood.before.bought])
            total, squares = total + float(np.sum(came * gains)), squares + float(np.sum(came * gains**2))
    mean = total / customers
    return Tried(spread, mean, sqrt(max(squares / customers - mean**2, 0.0) / customers))


def _gains(before: Snapshot, base: Purchasing, spread: float, cut: int, today: int) -> Floats | None:
    """(2, cells): nats gained by each customer who bought, and by each who did not; None where the base's is used anyway."""
    if not _enough(before):
        return None
    seen = before.visits(cut)
    shift = around(seen, base, spread)
    if isinstance(shift, Doubt):
        return None
    own, all_ = (_nats(model, seen, float(today - cut)) for model in (shifted(base, shift), base))
    return own - all_


def _nats(model: Purchasing, seen: Visits, days: float) -> Floats:
    """(2, cells): log-probability of a purchase in these days, and of none."""
    quiet = np.clip(model.p_no_purchase(seen.x, seen.t_x, seen.age, days), SURE, 1.0 - SURE)
    return np.stack([np.log1p(-quiet), np.log(quiet)])
