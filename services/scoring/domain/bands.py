"""When a change is worth telling: figures that have left their band, codes that have clearly left their step.

A band lies around what was told last, and not around fixed marks: inside it nothing is told, however often a figure goes
to and fro, and a slow drift is told once per width of the band. Vectorised over customers; knows no score.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.scoring.domain.fitting import Floats

Codes = npt.NDArray[np.int8]
"""Positions in an ordered list of names; -1: none."""
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Band:
    """How far a figure may move before it is news: `absolute`, or `relative` to what was told, whichever is more.

    Figures up to `floor` on either side of zero count as alike: nobody cares for 5 % of a cent.
    """

    absolute: float = 0.0
    relative: float = 0.0
    floor: float = 0.0

    def left(self, told: Floats, new: Floats) -> Flags:
        """Whose figure is news. NaN means none: a figure that appears or disappears is news."""
        width = np.maximum(self.absolute, self.relative * np.maximum(np.abs(told), self.floor))
        moved = np.abs(self._beyond_floor(new) - self._beyond_floor(told)) > width
        news: Flags = moved | (np.isnan(told) != np.isnan(new))
        return news

    def _beyond_floor(self, figure: Floats) -> Floats:
        beyond: Floats = np.sign(figure) * np.maximum(np.abs(figure) - self.floor, 0.0)
        return beyond


@dataclass(frozen=True)
class Ladder:
    """Steps between ascending edges, as codes 0 to len(edges); what lies on an edge is above it.

    A step reaches beyond its edges by `slack`, or by `relative` to the edge if that is more, for whoever stands on it: a
    Schmitt trigger. So coming and going across an edge is told at most once, while the edges keep their distance.
    """

    edges: tuple[float, ...]
    slack: float = 0.0
    relative: float = 0.0

    def __post_init__(self) -> None:
        if any(np.diff(self.edges) < 0):
            raise ValueError("edges must ascend")

    def codes(self, figures: Floats) -> Codes:
        """Where figures stand by themselves; NaN nowhere."""
        codes = np.searchsorted(np.array(self.edges), figures, side="right")
        return np.where(np.isnan(figures), -1, codes).astype(np.int8)

    def settled(self, told: Codes, figures: Floats) -> Codes:
        """The codes to go by: what was told as long as it still fits, what is now otherwise."""
        edges = np.array(self.edges)
        reach = np.maximum(self.slack, self.relative * np.abs(edges))
        lower, upper = np.append(-np.inf, edges - reach), np.append(edges + reach, np.inf)
        still = (told >= 0) & (figures >= lower[told]) & (figures < upper[told])
        return np.where(still, told, self.codes(figures)).astype(np.int8)


def settled(told: Codes, now: Codes, *also: Codes) -> Codes:
    """The same for codes that follow from many figures: `also` are those that slightly other thresholds would give."""
    still = np.any([told == codes for codes in (now, *also)], axis=0)
    return np.where(still, told, now).astype(np.int8)
