"""Customers' own pace: what the models of purchasing do not look at, and yet tells who will buy more than they expect.

To MBG/NBD a customer is three numbers: purchases, the time of the last, and age. Two more facts of the same past are
read here. `trend`: was the last time between two purchases shorter than this customer's usual one? Rates are not as
steady as the model takes them to be. `money`: how much was the first purchase? A covariate of the rate that does not change
(Fader, Hardie 2007, note 019 at brucehardie.com), and the less worth the more is known of the customer. They make the
time to come pass faster or slower for a customer, so that all that a model says of a horizon holds together: its
expectation, its probability of none, its distribution.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.scoring.domain.fitting import Floats

PRIOR = 0.3
"""Standard deviation that coefficients are expected to have, around 0: few purchases move them little."""
FASTEST = 3.0
"""Nobody is taken to be faster or slower than this."""


@dataclass(frozen=True)
class Pace:
    """Coefficients of `traits`: by how much, in logarithms, a unit of each makes a customer's time faster."""

    trend: float
    money: float

    def of(self, traits: Floats, expected: Floats) -> Floats:
        """How fast the time to come passes for each customer, 1 on the average of the purchases expected without this."""
        logs = _centred(traits, expected) @ np.array([self.trend, self.money])
        factor: Floats = np.exp(np.clip(logs, -np.log(FASTEST), np.log(FASTEST)))
        return factor


@dataclass(frozen=True)
class Lookback:
    """The base on an evening of the past: what was expected of each customer from there, and what came.

    `elasticity`: by how much a longer horizon raises the expectation, both in logarithms.
    """

    traits: Floats
    expected: Floats
    elasticity: Floats
    came: Floats


def traits(x: Floats, t_x: Floats, age: Floats, last_gap: Floats, first_money: Floats) -> Floats:
    """(customers, 2), in logarithms: the last gap to the mean of all gaps, and the first purchase's money to the base's.

    In the mean the time since the last purchase is a gap too, and both are shrunk to the base's mean gap; without a repeat
    purchase there is no trend. Money counts one by the customer's purchases, and is as usual where nothing was paid.
    `t_x`, `age`, `last_gap`: in one unit of time; the last gap is not looked at where there was no repeat purchase.
    """
    repeats = float(x.sum())
    usual = float(t_x.sum()) / repeats if repeats else 0.0
    again, paid = (x > 0) & (usual > 0), first_money > 0
    trend, money = np.zeros_like(x), np.zeros_like(x)
    trend[again] = np.log((last_gap[again] + usual) / (age[again] / (x[again] + 1.0) + usual))
    if paid.any():
        logs = np.log(first_money[paid])
        money[paid] = (logs - np.median(logs)) / (1.0 + x[paid])
    return np.column_stack([trend, money])


def fit_pace(lookbacks: Sequence[Lookback]) -> Pace:
    """Whose the purchases were of all that came, by maximum penalised likelihood: the total says nothing and is left alone.

    Windows that overlap tell the same purchases again, so that each counts one by their number.
    """
    share = 1.0 / max(len(lookbacks), 1)
    coefficients = np.zeros(2)
    for _ in range(20):
        gradient, curvature = -coefficients / PRIOR**2, np.eye(2) / PRIOR**2
        for one in lookbacks:
            slope, bend = _slopes(one, coefficients)
            gradient, curvature = gradient + share * slope, curvature + share * bend
        step = np.clip(np.linalg.solve(curvature, gradient), -0.5, 0.5)
        coefficients = coefficients + step
        if np.abs(step).max() < 1e-9:
            break
    return Pace(*coefficients.tolist())


def told(pace: Pace, lookback: Lookback) -> float:
    """Nats by which the pace tells better than the model alone whose the purchases were that came."""
    moved = _moved(lookback) @ np.array([pace.trend, pace.money])
    total = float(lookback.expected.sum())
    if not total:
        return 0.0
    every = np.log(float(lookback.expected @ np.exp(moved)) / total)
    return float(lookback.came @ (moved - every))


def _slopes(one: Lookback, coefficients: Floats) -> tuple[Floats, Floats]:
    """The log-likelihood's gradient, and its curvature downwards."""
    moved, total = _moved(one), float(one.came.sum())
    share = one.expected * np.exp(moved @ coefficients)
    share = share / max(float(share.sum()), np.finfo(float).tiny)
    mean = share @ moved
    spread = (moved - mean).T @ ((moved - mean) * share[:, None])
    return one.came @ moved - total * mean, total * spread


def _moved(one: Lookback) -> Floats:
    """How a unit of each coefficient moves the logarithm of what is expected."""
    product: Floats = _centred(one.traits, one.expected) * one.elasticity[:, None]
    return product


def _centred(traits: Floats, expected: Floats) -> Floats:
    total = float(expected.sum())
    centred: Floats = traits - (expected @ traits / total if total else 0.0)
    return centred
