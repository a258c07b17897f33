"""Which action a customer gets: the one of the highest expected profit, where doing nothing earns 0.

expected profit = P(persuaded) x value at stake x margin - contact cost - offer cost x P(accept)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from services.scoring.domain.fitting import Floats
from services.scoring.domain.retention.assignment import Assignment, Group
from services.scoring.domain.retention.catalogue import NO_ACTION, Action, Catalogue
from services.scoring.domain.retention.persuasion import Belief, Beliefs

Source = Literal["prior", "evidence", "model"]
Codes = npt.NDArray[np.int64]
"""Positions of actions in the catalogue; -1: no action."""


@dataclass(frozen=True)
class AtStake:
    """A customer. `value`: what is expected of them if they stay, before costs. `closed`: actions that may not be taken."""

    customer_id: str
    stratum: str
    value: float
    closed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Terms:
    """Beliefs of each action, `margin` on the value, and who decides; `occasion` names the decision, as a month does."""

    catalogue: Catalogue
    beliefs: Mapping[str, Beliefs]
    assignment: Assignment
    margin: float
    occasion: str

    def __post_init__(self) -> None:
        if not 0 <= self.margin <= 1:
            raise ValueError("a margin is a part of the value")


@dataclass(frozen=True)
class Option:
    """An action for a customer: the figures its expected profit is made of."""

    action: str
    p_persuade: float
    source: Source
    belief: Belief
    cost: float
    profit: float


@dataclass(frozen=True)
class Decision:
    """`action` is what to do, NO_ACTION included; `best` what profit alone would do. `propensity` is for the log."""

    customer_id: str
    stratum: str
    action: str
    best: str
    group: Group
    propensity: float
    at_stake: float
    options: tuple[Option, ...]

    @property
    def profit(self) -> float:
        """Expected of what is to be done."""
        return next((option.profit for option in self.options if option.action == self.action), 0.0)


def expected_profit(p_persuade: Floats, at_stake: Floats, action: Action) -> Floats:
    """(n,): money. A share that is persuaded away counts as none persuaded: the costs remain, so it is never taken."""
    profit: Floats = np.clip(p_persuade, 0.0, 1.0) * at_stake - action.expected_cost
    return profit


def best(profits: Floats) -> Codes:
    """(n,): position of the most profitable action, the first of several; -1 where none earns more than it costs.

    `profits`: (n, actions), -inf where an action may not be taken.
    """
    if not profits.shape[1]:
        return np.full(len(profits), -1)
    first = profits.argmax(axis=1)
    return np.where(profits[np.arange(len(profits)), first] > 0, first, -1)


def decide(customers: Sequence[AtStake], terms: Terms, uplift: Mapping[str, Floats] | None = None) -> list[Decision]:
    """One decision a customer, in their order.

    `uplift`: for actions whose model has proved itself (its Qini interval excludes 0), (n,) shares persuaded by it; they
    replace what is believed of the customers' strata.
    """
    modelled = uplift or {}
    at_stake = np.array([customer.value for customer in customers], dtype=np.float64) * terms.margin
    if not np.isfinite(at_stake).all():
        raise ValueError("values at stake are finite")
    n, actions = len(customers), len(terms.catalogue)
    shares, profits, open_ = np.empty((n, actions)), np.empty((n, actions)), np.empty((n, actions), dtype=bool)
    for a, action in enumerate(terms.catalogue):
        shares[:, a] = modelled[action.name] if action.name in modelled else _believed(action, customers, terms)
        profits[:, a] = expected_profit(shares[:, a], at_stake, action)
        open_[:, a] = [action.name not in customer.closed for customer in customers]
    wanted = best(np.where(open_, profits, -np.inf))
    figures = _Figures(np.clip(shares, 0.0, 1.0), profits, at_stake, frozenset(modelled))
    return [_decision(customer, figures, i, int(wanted[i]), terms) for i, customer in enumerate(customers)]


@dataclass(frozen=True)
class _Figures:
    """Of all customers: (n, actions), (n, actions), (n,)."""

    p_persuade: Floats
    profits: Floats
    at_stake: Floats
    modelled: frozenset[str]


def _believed(action: Action, customers: Sequence[AtStake], terms: Terms) -> Floats:
    """(n,): what is persuaded of customers of the same strata."""
    known = terms.beliefs[action.name]
    return np.array([known.of(customer.stratum).mean for customer in customers], dtype=np.float64)


def _decision(customer: AtStake, figures: _Figures, i: int, wanted: int, terms: Terms) -> Decision:
    options = tuple(
        _option(action, customer, figures, (i, a), terms)
        for a, action in enumerate(terms.catalogue)
        if action.name not in customer.closed
    )
    by_profit = terms.catalogue.actions[wanted].name if wanted >= 0 else NO_ACTION
    names = (NO_ACTION, *(option.action for option in options))
    group = terms.assignment.group(customer.customer_id)
    drawn = names[terms.assignment.drawn(customer.customer_id, terms.occasion, len(names))]
    action = {"control": NO_ACTION, "exploration": drawn, "decided": by_profit}[group]
    propensity = terms.assignment.propensity(
        chosen=action == by_profit, nothing=action == NO_ACTION, choices=len(names)
    )
    at_stake = float(figures.at_stake[i])
    return Decision(customer.customer_id, customer.stratum, action, by_profit, group, propensity, at_stake, options)


def _option(action: Action, customer: AtStake, figures: _Figures, at: tuple[int, int], terms: Terms) -> Option:
    belief = terms.beliefs[action.name].of(customer.stratum)
    modelled = action.name in figures.modelled
    source: Source = "model" if modelled else "evidence" if belief.weight > 0 else "prior"
    share, profit = float(figures.p_persuade[at]), float(figures.profits[at])
    return Option(action.name, share, source, belief, action.expected_cost, profit)
