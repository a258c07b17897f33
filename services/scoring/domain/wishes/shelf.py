"""What may be offered, and what the base says of it, laid out for scoring many customers at once."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from services.scoring.domain.fitting import Floats
from services.scoring.domain.histogram import Ints
from services.scoring.domain.wishes.evidence import Evidence, heaviest_of

NEIGHBOURS = 20
"""For each product, so many others that it speaks for."""
HEAD = 128
"""So many of the most popular products are looked at for everybody; more only for whom too few of them are left."""
FEW_BUYERS = 10.0
"""Customers with the base's usual rate of buying again that every product is given to start with."""


@dataclass(frozen=True)
class Mix:
    """How much each kind of evidence weighs beside the customer's own decayed purchases, which weigh 1 each."""

    together: float
    """Of what is expected of a product from the others that the customer buys."""
    popular: float
    """Of a product's share in all purchases."""
    again: float
    """The power of how much more, or less, than others a product is bought again, by which own purchases are multiplied."""
    ridge: float
    """Purchases, squared, by which what goes together is drawn towards nothing: keeps down chance pairs of rare products."""
    due: float
    """A product bought three times or more is not offered before this part of its usual interval has passed."""


@dataclass(frozen=True)
class Catalogue:
    """Products by their numbers, sorted; of each its category (0, 1, ...) and whether it can be had."""

    items: Ints
    category: Ints
    available: npt.NDArray[np.bool_]

    def places(self, items: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
        """Where the items stand in the catalogue, and whether they do; the place of one that does not means nothing."""
        if not len(self.items):
            return np.zeros_like(items), np.zeros(len(items), bool)
        places = np.searchsorted(self.items, items).clip(max=len(self.items) - 1)
        return places, self.items[places] == items


@dataclass(frozen=True)
class Knowledge:
    """The evidence of a catalogue, before it is mixed.

    Of each product `share` (of all purchases; 0 if it cannot be had), `again` (its rate of being bought again over the
    base's, shrunk) and `own` (G_jj). Of each neighbour the product bought, the one expected, and `together` (G_ij).
    """

    catalogue: Catalogue
    share: Floats
    again: Floats
    own: Floats
    bought: Ints
    expected: Ints
    together: Floats

    @classmethod
    def of(cls, evidence: Evidence, catalogue: Catalogue) -> "Knowledge":
        places, known = catalogue.places(evidence.items)
        sums = np.zeros((len(catalogue.items), 3))
        sums[places[known]] = np.maximum(evidence.sums[known], 0.0)
        popularity, buyers, repeats = sums.T
        share = np.where(catalogue.available, popularity, 0.0) / max(float(popularity.sum()), 1e-300)
        usual = float(repeats.sum()) / max(float(buyers.sum()), 1.0)
        again = (repeats / usual + FEW_BUYERS) / (buyers + FEW_BUYERS) if usual > 0 else np.ones_like(buyers)
        return cls(catalogue, share, again, *_neighbours(evidence, catalogue))


def _neighbours(evidence: Evidence, catalogue: Catalogue) -> tuple[Floats, Ints, Ints, Floats]:
    one, two = evidence.ends
    (one, one_known), (two, two_known) = catalogue.places(one), catalogue.places(two)
    known = one_known & two_known & (evidence.together > 0)
    one, two, together = one[known], two[known], evidence.together[known]
    alone = one == two
    own = np.zeros(len(catalogue.items))
    own[one[alone]] = together[alone]
    one, two, together = one[~alone], two[~alone], together[~alone]
    bought, expected, both = np.concatenate([one, two]), np.concatenate([two, one]), np.tile(together, 2)
    best = heaviest_of(np.where(catalogue.available[expected], both, 0.0), bought, NEIGHBOURS)
    return own, bought[best], expected[best], both[best]


class Spread(NamedTuple):
    """From what a customer has to what they may be offered: candidates and their scores by one product of matrices.

    `matrix`: (2 products + 1, products). Rows: what is expected of others from a product's weight; the product itself;
    the popular ones, for everybody. `rest`: popularity of the products that are not in that last row.
    """

    matrix: Any
    rest: Floats


@dataclass(frozen=True)
class Shelf:
    """Knowledge and mix, ready for use. `similar`: (products, products), from the one bought to the one expected.

    `popular`, `again`: of each product; `head`: the most popular. `narrow` has only these for everybody, `wide` has all.
    """

    catalogue: Catalogue
    mix: Mix
    similar: Any
    popular: Floats
    again: Floats
    head: Ints
    narrow: Spread
    wide: Spread

    @classmethod
    def of(cls, knowledge: Knowledge, mix: Mix) -> "Shelf":
        """Togetherness as a ridge regression of each product's weight on each other's alone: G_ij / (G_jj + ridge)."""
        size = len(knowledge.share)
        slopes = mix.together * knowledge.together / (knowledge.own[knowledge.bought] + mix.ridge)
        similar = sparse.csr_matrix((slopes, (knowledge.bought, knowledge.expected)), shape=(size, size))
        popular, again = mix.popular * knowledge.share, knowledge.again**mix.again
        ranked = np.argsort(-popular, kind="stable")
        ranked = ranked[popular[ranked] > 0]
        owned = sparse.vstack([similar, sparse.diags(np.where(knowledge.catalogue.available, again, 0.0))])
        narrow, wide = (_spread(owned, popular, for_all) for for_all in (ranked[:HEAD], ranked))
        return cls(knowledge.catalogue, mix, similar, popular, again, ranked[:HEAD], narrow, wide)


def _spread(owned: Any, popular: Floats, for_all: Ints) -> Spread:
    row = sparse.csr_matrix((popular[for_all], for_all, [0, len(for_all)]), shape=(1, len(popular)))
    rest = popular.copy()
    rest[for_all] = 0.0
    matrix = sparse.vstack([owned, row]).tocsr()
    matrix.eliminate_zeros()
    return Spread(matrix, rest)
