"""The models of others on the same base, reported beside ours and never chosen."""

from dataclasses import dataclass

import numpy as np

from services.scoring.domain.counts import whole_purchases
from services.scoring.domain.mbg_nbd import MIN_CUSTOMERS, MIN_REPEATS
from services.scoring.domain.pareto_nbd import ParetoNbd
from services.scoring.domain.peer_counts import peer_at_least
from services.scoring.domain.peers import BgNbd, Peer, fit_peer
from services.scoring.evaluation.accuracy import Accuracy, of_purchases
from services.scoring.evaluation.forecasts import EXACT_CELLS, Forecast, cells
from services.scoring.evaluation.splitting import Split

PEERS: dict[str, type[Peer]] = {"bg-nbd": BgNbd, "pareto-nbd": ParetoNbd}


@dataclass(frozen=True)
class Compared:
    model: Peer
    log_likelihood: float
    accuracy: Accuracy


def compare(cut: Split) -> dict[str, Compared]:
    """Those whose search for parameters arrives at finite forecasts. Nothing for bases so large that they would take long, or too small."""
    small = len(cut.base.x) < MIN_CUSTOMERS or cut.base.x.sum() < MIN_REPEATS or cut.base.age.max() <= 0
    if small or len(cut.base.x) > 2 * EXACT_CELLS:
        return {}
    visits = cells(cut)
    fitted = {name: fit_peer(family, visits) for name, family in PEERS.items()}
    compared = {name: _judged(name, *fit, cut) for name, fit in fitted.items() if fit}
    return {name: one for name, one in compared.items() if one}


def _judged(name: str, model: Peer, log_likelihood: float, cut: Split) -> Compared | None:
    seen, weeks = (cut.base.x, cut.base.t_x, cut.base.age), cut.future.weeks
    with np.errstate(all="ignore"):
        p = np.clip(1.0 - model.p_no_purchase(*seen, weeks), 0.0, 1.0)
        expected = model.expected_purchases(*seen, weeks)
        if not np.isfinite(expected).all() or not np.isfinite(p).all():
            return None
        whole = whole_purchases(peer_at_least(model, *seen, weeks), len(expected), float(expected.sum()))
    made = Forecast(name, expected, p, whole)
    return Compared(model, log_likelihood, of_purchases(made, cut.future.purchases))
