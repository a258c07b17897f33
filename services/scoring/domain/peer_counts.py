"""How many purchases the models of others foretell: P(at least n), as `MbgCnbd.at_least` gives it of ours."""

import numpy as np
from scipy.special import betainc, betaln

from services.scoring.domain.counts import AtLeast, Places
from services.scoring.domain.fitting import Floats
from services.scoring.domain.pareto_nbd import ParetoNbd
from services.scoring.domain.peers import BgNbd, Peer

NODES, WEIGHTS = np.polynomial.legendre.leggauss(24)


def peer_at_least(model: Peer, x: Floats, t_x: Floats, age: Floats, horizon: float) -> AtLeast:
    """P(at least n purchases within the horizon); the other arguments as in `peers`."""
    reached = _of_bg(model, x, age, horizon) if isinstance(model, BgNbd) else _of_pareto(model, x, age, horizon)
    alive = model.p_alive(x, t_x, age)
    return lambda n, whose: alive[whose] * reached(n, whose)


def _of_bg(model: BgNbd, x: Floats, age: Floats, horizon: float) -> AtLeast:
    """Of those alive: n purchases come in time, and none of the n - 1 before the last is followed by leaving."""
    ahead = horizon / (model.alpha + age + horizon)

    def reached(n: float, whose: Places) -> Floats:
        stays = np.exp(betaln(model.a, model.b + x[whose] + n - 1.0) - betaln(model.a, model.b + x[whose]))
        p: Floats = betainc(n, model.r + x[whose], ahead[whose]) * stays
        return p

    return reached


def _of_pareto(model: ParetoNbd, x: Floats, age: Floats, horizon: float) -> AtLeast:
    """Of those alive: n purchases come before they leave; the time of leaving by quadrature over its distribution."""
    stays = np.exp(-model.s * np.log1p(horizon / (model.beta + age)))
    u = stays[:, None] + (1.0 - stays[:, None]) * (NODES + 1.0) / 2.0
    leaving = (model.beta + age[:, None]) * np.expm1(-np.log(u) / model.s)
    before, in_time = leaving / (model.alpha + age[:, None] + leaving), horizon / (model.alpha + age + horizon)
    size = model.r + x

    def reached(n: float, whose: Places) -> Floats:
        left = betainc(n, size[whose, None], before[whose]) @ (WEIGHTS / 2.0)
        p: Floats = stays[whose] * betainc(n, size[whose], in_time[whose]) + (1.0 - stays[whose]) * left
        return p

    return reached
