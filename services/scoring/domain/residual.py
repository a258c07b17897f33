"""What is still to come of customers who leave only after a purchase: discounted purchases (DERT) and lifetime.

For MBG/NBD and BG/NBD alike; MBG/CNBD-k says it itself. Of a customer who is there, the rate is lambda ~ Gamma(r + x, alpha + age), the
probability of leaving after a purchase p ~ Beta(a, b + x + 1) or Beta(a, b + x), so the stay is exponential at rate
lambda p. Both expectations are done by quadrature and hold for any x; `x`, `t_x` and `age` are arrays, in one unit.
"""

import numpy as np

from services.scoring.domain.fitting import Floats
from services.scoring.domain.mbg_cnbd import MbgCnbd
from services.scoring.domain.mbg_nbd import MbgNbd
from services.scoring.domain.peers import BgNbd
from services.scoring.domain.quadrature import beta_nodes, for_each, gamma_nodes


def discounted_purchases(
    model: MbgNbd | MbgCnbd | BgNbd, x: Floats, t_x: Floats, age: Floats, discount: float
) -> Floats:
    """DERT: all purchases to come, each discounted continuously to now at this rate per unit of time, above 0.

    P(alive) E[lambda / (lambda p + discount)]: the integral over time of exp(-discount t) lambda exp(-lambda p t).
    """
    if isinstance(model, MbgCnbd):
        return model.discounted_purchases(x, t_x, age, discount)

    def while_alive(purchases: float, clock: Floats) -> Floats:
        rate, leaving = gamma_nodes(model.r + purchases), beta_nodes(model.a, _stayed(model, purchases))
        departures, purchases_of = rate.at[:, None] * leaving.at, rate.weight * rate.at
        return np.array([purchases_of @ (1.0 / (departures + z)) @ leaving.weight for z in clock * discount])

    dert: Floats = model.p_alive(x, t_x, age) * for_each(while_alive, x, model.alpha + age)
    return dert


def residual_lifetime(model: MbgNbd | MbgCnbd | BgNbd, x: Floats, t_x: Floats, age: Floats, horizon: float) -> Floats:
    """E[min(time until the customer leaves, horizon)], 0 for those who have left; in the unit of time.

    The horizon is needed, for the posterior of p often reaches so close to 0 (a <= 1) that without it the expectation
    is infinite. Given p, the stay has the survival function (1 + p t / (alpha + age))^-(r + x).
    """
    if isinstance(model, MbgCnbd):
        return model.residual_lifetime(x, t_x, age, horizon)

    def while_alive(purchases: float, clock: Floats) -> Floats:
        leaving, power = beta_nodes(model.a, _stayed(model, purchases)), model.r + purchases - 1.0
        stretch = np.log1p(leaving.at * (horizon / clock[:, None]))
        gone = stretch if abs(power) < 1e-9 else -np.expm1(-power * stretch) / power
        stay: Floats = clock * (gone / leaving.at @ leaving.weight)
        return stay

    lifetime: Floats = model.p_alive(x, t_x, age) * for_each(while_alive, x, model.alpha + age)
    return lifetime


def _stayed(model: MbgNbd | BgNbd, x: float) -> float:
    """The second parameter of p: BG/NBD gives nobody the chance to leave before the first repeat purchase."""
    return model.b + x + (1.0 if isinstance(model, MbgNbd) else 0.0)
