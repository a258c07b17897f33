"""Pareto/NBD: customers who may leave at any time, buying or not; the challenger of MBG/NBD."""

from services.scoring.domain.pareto_nbd.fit import ParetoFit, fit_pareto, likelihood_of
from services.scoring.domain.pareto_nbd.model import ParetoNbd

__all__ = ["ParetoFit", "ParetoNbd", "fit_pareto", "likelihood_of"]
