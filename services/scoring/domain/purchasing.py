"""The families of models of purchasing that the service may score by, and the fit of the one in use.

Which family a base is given is chosen now and then (`choice`); in between its parameters alone are fitted again, from
counts of alike customers. MBG/NBD keeps its closed form, of which MBG/CNBD-k is the same for k = 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.scoring.domain.choice import Candidate, Search, name_of
from services.scoring.domain.fitting import Doubt, Floats
from services.scoring.domain.mbg_cnbd import MbgCnbd
from services.scoring.domain.mbg_nbd import DROPOUT_GAIN, MbgNbd, Visits, VisitsFit, enough, fit_visits

Purchasing = MbgNbd | MbgCnbd


@dataclass(frozen=True)
class Family:
    """`k` steps between purchases, a share of loyal customers or none, and whether anybody leaves at all."""

    k: int = 1
    loyal: bool = False
    leaving: bool = True

    @classmethod
    def of(cls, model: Purchasing) -> "Family":
        return cls() if isinstance(model, MbgNbd) else cls(model.k, model.loyal > 0, model.a > 0)

    @property
    def name(self) -> str:
        return name_of(MbgCnbd(self.k, 1.0, 1.0, float(self.leaving), 1.0, 0.5 * self.loyal))


PLAIN = Family()


@dataclass(frozen=True)
class Fitted:
    """`log_likelihood` of k > 1 is without what the lengths of the gaps between purchases add, whatever the parameters."""

    model: Purchasing
    log_likelihood: float
    doubt: Doubt | None


def general(model: Purchasing) -> MbgCnbd:
    """As the family that all others are special cases of."""
    return MbgCnbd(1, model.r, model.alpha, model.a, model.b) if isinstance(model, MbgNbd) else model


def plain(model: MbgCnbd) -> Purchasing:
    """In its closed form, if it has one."""
    if model.k == 1 and model.a > 0 and not model.loyal:
        return MbgNbd(model.r, model.alpha, model.a, model.b)
    return model


def logs_of(model: Purchasing) -> Floats:
    """Logarithms of r, alpha, and where somebody leaves of a, b, and of the odds of being loyal where somebody is."""
    one = general(model)
    leaving = (one.a, one.b) if one.a else ()
    loyal = (one.loyal / (1.0 - one.loyal),) if one.loyal else ()
    logs: Floats = np.log([one.r, one.alpha, *leaving, *loyal])
    return logs


def shifted(model: Purchasing, shift: Sequence[float]) -> Purchasing:
    """The same family with these differences in logarithms, one for each of `logs_of`."""
    r, alpha, *rest = map(float, np.exp(logs_of(model) + np.asarray(shift, dtype=float)))
    a, b, *odds = rest or (0.0, general(model).b)
    return plain(MbgCnbd(general(model).k, r, alpha, a, b, *(o / (1.0 + o) for o in odds)))


def fit_family(visits: Visits, family: Family, start: Purchasing | None = None) -> Fitted | Doubt:
    """Maximum likelihood, from the last optimum if that was of this family. `visits` in days.

    Where nobody is taken to leave, leaving is believed again as soon as it explains the base. The other way around is a
    doubt, which only a new choice resolves: so the two do not take turns with every fit.
    """
    if not enough(visits):
        return Doubt.TOO_FEW
    begin = start if start and Family.of(start) == family else None
    if family == PLAIN:
        return _fit_plain(visits, begin if isinstance(begin, MbgNbd) else None)
    search = Search(visits, 0.0, family.k)
    found = search.loyal(begin) if family.loyal else search.leaving(begin)
    without = search.without_dropout(begin)
    if found.converged and found.log_likelihood - without.log_likelihood >= DROPOUT_GAIN:
        return _of(search.candidate(found, without))
    if family.leaving:
        return Doubt.NO_DROPOUT if found.converged else Doubt.NOT_CONVERGED
    return _of(search.candidate(without, without))


def _fit_plain(visits: Visits, start: MbgNbd | None) -> Fitted | Doubt:
    fit = fit_visits(visits, start)
    return fit if isinstance(fit, Doubt) else _of_plain(fit)


def _of_plain(fit: VisitsFit) -> Fitted | Doubt:
    return fit.doubt or Fitted(fit.parameters, fit.log_likelihood, None)


def _of(candidate: Candidate) -> Fitted | Doubt:
    """A fit that has not arrived, or tells nobody apart, is a doubt instead of a fit."""
    if candidate.doubt and candidate.doubt is not Doubt.NO_DROPOUT:
        return candidate.doubt
    return Fitted(plain(candidate.model), candidate.log_likelihood, candidate.doubt)
