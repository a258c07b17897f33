"""The steps between two purchases: how probably so many of them are done. Shared by the model and its likelihood."""

import numpy as np

from services.scoring.domain.fitting import Floats


def silence_of(alpha: float, t_x: Floats, age: Floats) -> Floats:
    # A clock's reading may be rounded to before that of the last purchase.
    return np.maximum(age - t_x, 0.0) / (alpha + age)


def log_steps(k: int, size: Floats, silence: Floats) -> Floats:
    """(k, customers): log-probability of j = 0..k-1 steps since the last purchase, relative to none."""
    with np.errstate(divide="ignore"):
        log_silence = np.log(silence)
    rows = [np.zeros_like(size)]
    for j in range(1, k):
        rows.append(rows[-1] + np.log((size + j - 1.0) / j) + log_silence)
    return np.stack(rows)


def steps(k: int, size: Floats, silence: Floats) -> Floats:
    """The same as probabilities, relative to none: no more than (size + k)^k."""
    rows = [np.ones_like(size)]
    for j in range(1, k):
        rows.append(rows[-1] * ((size + j - 1.0) / j) * silence)
    return np.stack(rows)
