"""A shop as MBG/NBD (or MBG/CNBD-k) and Gamma-Gamma believe it to be, seen until now, with what its customers did afterwards."""

from dataclasses import dataclass

import numpy as np

from services.scoring.domain.fitting import Floats
from services.scoring.domain.gamma_gamma import GammaGamma
from services.scoring.domain.purchasing import Purchasing, general

FAR = 14.0
"""Purchases discounted by e to this power are not waited for."""


@dataclass(frozen=True)
class Shop:
    x: Floats
    t_x: Floats
    age: Floats
    spend: Floats
    """Mean of repeat purchases, 0 without one."""
    later: Floats
    """Number of purchases after now, each discounted."""
    later_money: Floats
    """What they cost, discounted."""
    stays: Floats
    """Days from now until the customer leaves, 0 for those who have; infinite where nobody waited so long."""


def shop(
    visits: Purchasing,
    spends: GammaGamma,
    discount: float,
    customers: int,
    oldest: float,
    seed: int,
    first: bool = True,
) -> Shop:
    """`first`: whether one may leave after the first purchase, as in MBG/NBD and not in BG/NBD."""
    random = np.random.default_rng(seed)
    rate, level = (
        random.gamma(visits.r, 1 / visits.alpha, customers),
        random.gamma(spends.q, 1 / spends.gamma, customers),
    )
    model = general(visits)
    leaving = random.beta(model.a, model.b, customers) if model.a else np.zeros(customers)
    age = random.uniform(0, oldest, customers)
    if model.loyal:
        leaving[random.random(customers) < model.loyal] = 0.0
    at, x, t_x, money, later, later_money, left = np.zeros((7, customers))
    here = np.flatnonzero(random.random(customers) >= leaving) if first else np.arange(customers)
    while len(here):
        at[here] += random.gamma(model.k, 1 / rate[here])
        left[here], paid = at[here], random.gamma(spends.p, 1 / level[here])
        seen = at[here] <= age[here]
        past, ahead = here[seen], here[~seen]
        x[past], t_x[past], money[past] = x[past] + 1, at[past], money[past] + paid[seen]
        worth = np.exp(discount * (age[ahead] - at[ahead]))
        later[ahead], later_money[ahead] = later[ahead] + worth, later_money[ahead] + worth * paid[~seen]
        here = here[random.random(len(here)) >= leaving[here]]
        far = discount * (at[here] - age[here]) > FAR
        left[here[far]] = np.inf
        here = here[~far]
    spend = np.where(x > 0, money / np.maximum(x, 1), 0)
    return Shop(x, t_x, age, spend, later, later_money, np.maximum(left - age, 0))
