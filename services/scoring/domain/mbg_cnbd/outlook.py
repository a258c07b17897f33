"""All that a score reads of MBG/CNBD-k in one pass, for one customer or for a million.

The figures are those that `MbgCnbd` gives one by one, computed in blocks that stay in the processor's cache.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from services.scoring.domain.fitting import Floats
from services.scoring.domain.mbg_cnbd.curves import curves_of
from services.scoring.domain.mbg_cnbd.model import MbgCnbd
from services.scoring.domain.mbg_cnbd.steps import silence_of, steps

BLOCK = 8_192
"""Customers at once: some twenty columns of them fill a megabyte."""


class Outlook(NamedTuple):
    """(customers,) each."""

    p_alive: Floats
    p_silent: Floats
    p_no_purchase: Floats
    expected_purchases: Floats


def outlook(model: MbgCnbd, x: Floats, t_x: Floats, age: Floats, horizon: Floats | float) -> Outlook:
    """As `MbgCnbd` has them. `x` whole numbers; `horizon` one for all or each customer's own, in the unit of the parameters."""
    each = horizon if isinstance(horizon, np.ndarray) else None
    whole = Outlook(*np.empty((len(Outlook._fields), len(x))))
    for first in range(0, len(x), BLOCK):
        some = slice(first, first + BLOCK)
        within = horizon if each is None else each[some]
        for column, part in zip(whole, _outlook(model, x[some], t_x[some], age[some], within), strict=True):
            column[some] = part
    return whole


def _outlook(model: MbgCnbd, x: Floats, t_x: Floats, age: Floats, horizon: Floats | float) -> Outlook:
    # A clock's reading may be rounded to before that of the last purchase.
    size, now = model.r + model.k * x, np.maximum(age, t_x)
    done = steps(model.k, size, silence_of(model.alpha, t_x, now))
    some = done.sum(axis=0)
    log_silent = np.minimum(np.log(some) - size * np.log1p((now - t_x) / (model.alpha + t_x)), 0.0)
    alive = expit(log_silent - model.log_left(x)) if model.a else np.ones_like(x)
    longer = steps(model.k, size, silence_of(model.alpha, t_x, now + horizon)).sum(axis=0) / some
    still = np.minimum(longer * np.exp(-size * np.log1p(horizon / (model.alpha + now))), 1.0)
    there = np.einsum("kc,kc->c", done, curves_of(model).at(x, (model.alpha + age) / horizon)) / some
    return Outlook(alive, np.exp(log_silent), 1.0 - alive * (1.0 - still), alive * there)
