"""All that a score reads of MBG/CNBD-k in one pass, for one customer or for a million.

The figures are those that `MbgCnbd` gives one by one, computed in blocks that stay in the processor's cache.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from services.scoring.domain.fitting import Floats
from services.scoring.domain.mbg_cnbd.curves import curves_of
from services.scoring.domain.mbg_cnbd.model import MbgCnbd

BLOCK = 8_192
"""Customers at once: some twenty columns of them fill a megabyte."""


class Outlook(NamedTuple):
    """(customers,) each."""

    p_alive: Floats
    p_silent: Floats
    p_no_purchase: Floats
    expected_purchases: Floats


def outlook(model: MbgCnbd, x: Floats, t_x: Floats, age: Floats, horizon: float) -> Outlook:
    """As `MbgCnbd` has them. `x` whole numbers; one `horizon` for all, in the unit of the parameters."""
    whole = Outlook(*np.empty((len(Outlook._fields), len(x))))
    for first in range(0, len(x), BLOCK):
        some = slice(first, first + BLOCK)
        for column, part in zip(whole, _outlook(model, x[some], t_x[some], age[some], horizon), strict=True):
            column[some] = part
    return whole


def _outlook(model: MbgCnbd, x: Floats, t_x: Floats, age: Floats, horizon: float) -> Outlook:
    done = model.steps_done(x, t_x, age)
    log_silent = model.log_silent(x, t_x, age)
    alive = expit(log_silent - model.log_left(x)) if model.a else np.ones_like(x)
    quiet = 1.0 - alive * (1.0 - model.p_still(x, t_x, age, horizon))
    there = np.einsum("kc,kc->c", done, curves_of(model, horizon).at(x, model.alpha + age))
    return Outlook(alive, np.exp(log_silent), quiet, alive * there)
