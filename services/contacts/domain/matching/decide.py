"""From evidence to what becomes of a pair: merged by itself, looked at by a person, or left alone."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

AUTOMATIC = 0.95
REVIEW = 0.2


class WrongThresholds(ValueError):
    """Names the threshold that cannot be."""


@dataclass(frozen=True)
class Thresholds:
    """Posterior probabilities of a match, an organisation's own. Merged at `automatic` and above, shown from `review`."""

    automatic: float = AUTOMATIC
    review: float = REVIEW

    def __post_init__(self) -> None:
        if not 0.5 <= self.automatic <= 1:
            raise WrongThresholds(f"automatic must be between 0.5 and 1, not {self.automatic}")
        if not 0 < self.review <= self.automatic:
            raise WrongThresholds(f"review must be above 0 and at most automatic ({self.automatic}), not {self.review}")

    def merged(self, probability: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        return probability >= self.automatic

    def doubtful(self, probability: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        return (probability >= self.review) & (probability < self.automatic)
