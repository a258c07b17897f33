"""A randomised trial as arrays: who was treated, with which probability, and what came of it. Nothing here learns."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.scoring.domain.fitting import Floats

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


class NotATrial(ValueError):
    """From these customers no effect can be learnt: an arm is missing, or somebody's arm was certain beforehand."""


@dataclass(frozen=True)
class Trial:
    """n customers as they were before the treatment.

    `features`: (n, d), finite. `treated`: (n,). `outcome`: (n,), what is wanted more of: 0 or 1, or an amount from 0 up.
    `propensity`: (n,), the probability of treatment with which each was drawn, between 0 and 1 exclusively.
    """

    features: Floats
    treated: Bools
    outcome: Floats
    propensity: Floats

    def __post_init__(self) -> None:
        if {len(self.features), len(self.outcome), len(self.propensity)} != {len(self.treated)}:
            raise NotATrial("every customer needs features, an arm, an outcome and a propensity")
        if not self.treated.any() or self.treated.all():
            raise NotATrial("one of the arms is empty")
        if not (np.isfinite(self.features).all() and np.isfinite(self.outcome).all()):
            raise NotATrial("features and outcomes must be finite")
        if not ((self.propensity > 0) & (self.propensity < 1)).all():
            raise NotATrial("propensities must lie between 0 and 1")

    @classmethod
    def even(cls, features: Floats, treated: Bools, outcome: Floats) -> "Trial":
        """Everybody was drawn with the same probability: the share of the treated."""
        return cls(features, treated, outcome, np.full(len(treated), treated.mean()))

    @property
    def binary(self) -> bool:
        return bool(np.isin(self.outcome, (0.0, 1.0)).all())

    def __len__(self) -> int:
        return len(self.treated)

    def part(self, which: Bools | Ints) -> "Trial":
        return Trial(self.features[which], self.treated[which], self.outcome[which], self.propensity[which])

    def arm(self, *, treated: bool) -> "tuple[Floats, Floats]":
        """Features and outcomes of one arm."""
        which = self.treated == treated
        return self.features[which], self.outcome[which]

    def folds(self, parts: int, seed: int) -> Ints:
        """The part of each customer, 0 up to `parts`: random, with arms and outcomes spread evenly over the parts."""
        kind = 2 * self.treated + (self.outcome > 0)
        shuffled = np.random.default_rng(seed).permutation(len(self))
        by_kind = shuffled[np.argsort(kind[shuffled], kind="stable")]
        fold = np.empty(len(self), np.int64)
        fold[by_kind] = np.arange(len(self)) % parts
        return fold

    def splits(self, parts: int, seed: int) -> Iterator[tuple["Trial", Bools]]:
        """For each part: all customers but those of it, to learn from, and which ones are kept out."""
        fold = self.folds(parts, seed)
        for part in range(parts):
            yield self.part(fold != part), fold == part
