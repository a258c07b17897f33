"""What the whole base says of its items: how popular, how often bought again, and which go together. Sums only.

With v_c the decayed weights of customer c, popularity is sum_c v_c and togetherness the Gram matrix G = sum_c v_c v_c':
two purchases in one basket count in full, d days apart they count 2^(-d / half-life), and both age with time. Because all
sums are over customers of a function of their state, a purchase, a late one or a merge changes them by the difference of
that function, and the same base gives the same sums whatever happened in between.

Bounded: of each customer the `breadth` heaviest items count, so that an event changes at most (2 breadth)^2 / 2 pairs; of
the base, `trimmed` keeps the heaviest items, and of each the heaviest partners. What is trimmed is counted in `lost` and does
not come back: a pair that is new and weak has to grow past the last one kept between two trims.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import sparse

from services.scoring.domain.fitting import Floats
from services.scoring.domain.histogram import Ints
from services.scoring.domain.wishes.habits import DIGITS, NEVER, Habit, Habits, Memory
from services.scoring.domain.wishes.profiles import Profiles

NOTHING = 1e-9
"""Weights below it are what rounding leaves of a customer who has been taken out."""
SHIFT = 32
MASK = 2**SHIFT - 1


@dataclass(frozen=True)
class Evidence:
    """Sums as of `day`. `items`: sorted, below 2^31; `sums`: (items, 3), of each item popularity, customers who have bought
    it, and times they did after their first. `pairs`: sorted (smaller item << 32 | larger, the item itself included), with
    `together`. `lost`: popularity and togetherness that were trimmed.
    """

    day: int = NEVER
    items: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    sums: Floats = field(default_factory=lambda: np.empty((0, 3)))
    pairs: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    together: Floats = field(default_factory=lambda: np.empty(0))
    lost: tuple[float, float] = (0.0, 0.0)

    @classmethod
    def of(cls, base: Profiles, memory: Memory, breadth: int) -> "Evidence":
        """Of a base at once; a large one by portions, which `total` adds up."""
        if not len(base.item):
            return cls()
        day = int(base.last.max())
        base = _broad(base, memory, breadth)
        items, where = np.unique(base.item, return_inverse=True)
        weight = base.weight_on(day, memory)
        weights = sparse.csr_matrix((weight, where, base.starts), shape=(len(base), len(items)))
        gram = sparse.triu(weights.T @ weights).tocoo()
        pairs = items[gram.row] << SHIFT | items[gram.col]
        order = np.argsort(pairs)
        each = (weight, np.ones(len(where)), base.times - 1.0)
        sums = np.stack([_counted(where, one, len(items)) for one in each], axis=1)
        return cls(day, items, sums, pairs[order], gram.data[order])

    @classmethod
    def moved(cls, before: Habits, after: Habits, memory: Memory, breadth: int) -> "Evidence":
        """What one customer's change adds and takes away. At a merge both are taken out, and the union comes in."""
        old, new = before.heaviest(breadth, memory), after.heaviest(breadth, memory)
        day = max([habit.last for habit in (*old, *new)], default=NEVER)
        items = np.array(sorted({habit.item for habit in (*old, *new)}), np.int64)
        was, now = _sums(items, old, day, memory), _sums(items, new, day, memory)
        changed: npt.NDArray[np.bool_] = np.any(was != now, axis=1)
        one, two = np.nonzero(np.triu(changed[:, None] | changed))
        together = now[one, 0] * now[two, 0] - was[one, 0] * was[two, 0]
        return cls(day, items[changed], (now - was)[changed], items[one] << SHIFT | items[two], together)

    @classmethod
    def total(cls, parts: Iterable["Evidence"], memory: Memory) -> "Evidence":
        """The sum, the same in any order and grouping up to rounding."""
        known = [part for part in parts if part.day > NEVER]
        if not known:
            return cls()
        day = max(part.day for part in known)
        aged = [part.on(day, memory) for part in known]
        items, sums = _summed([part.items for part in aged], [part.sums for part in aged])
        pairs, together = _summed([part.pairs for part in aged], [part.together[:, None] for part in aged])
        lost = (sum([part.lost[0] for part in aged]), sum([part.lost[1] for part in aged]))
        return cls(day, items, sums, pairs, together[:, 0], lost)

    def on(self, day: int, memory: Memory) -> "Evidence":
        fade = memory.fade(day - self.day)
        # A pair is a product of two weights, and fades twice as fast; counts of customers and times stay.
        lost = (self.lost[0] * fade, self.lost[1] * fade**2)
        return Evidence(day, self.items, self.sums * [fade, 1.0, 1.0], self.pairs, self.together * fade**2, lost)

    @property
    def ends(self) -> tuple[Ints, Ints]:
        """The smaller and the larger item of each pair."""
        return self.pairs >> SHIFT, self.pairs & MASK

    def trimmed(self, items: int, partners: int) -> "Evidence":
        """The heaviest items, and of their pairs those that are among the heaviest partners of either item."""
        popularity = self.sums[:, 0]
        kept = heaviest_of(popularity, np.zeros_like(self.items), items)
        one, two = self.ends
        inside = np.flatnonzero(np.isin(one, self.items[kept]) & np.isin(two, self.items[kept]))
        alone = one[inside] == two[inside]
        own, others = inside[alone], inside[~alone]
        # Each pair is looked at from both its ends.
        twice, end = np.tile(others, 2), np.concatenate([one[others], two[others]])
        best = twice[heaviest_of(self.together[twice], end, partners)]
        pairs = np.union1d(own, best)
        lost = (
            self.lost[0] + float(popularity.sum() - popularity[kept].sum()),
            self.lost[1] + float(self.together.sum() - self.together[pairs].sum()),
        )
        return Evidence(self.day, self.items[kept], self.sums[kept], self.pairs[pairs], self.together[pairs], lost)

    def pack(self) -> dict[str, bytes]:
        return {
            "head": np.array([self.day, *self.lost], "<f8").tobytes(),
            "items": self.items.astype("<u4").tobytes(),
            "sums": self.sums.astype("<f8").tobytes(),
            "pairs": self.pairs.astype("<u8").tobytes(),
            "together": self.together.astype("<f8").tobytes(),
        }

    @classmethod
    def unpack(cls, packed: dict[str, bytes]) -> "Evidence":
        day, *lost = np.frombuffer(packed["head"], "<f8").tolist()
        items, pairs = np.frombuffer(packed["items"], "<u4"), np.frombuffer(packed["pairs"], "<u8")
        sums, together = np.frombuffer(packed["sums"], "<f8").reshape(-1, 3), np.frombuffer(packed["together"], "<f8")
        return cls(int(day), items.astype(np.int64), sums, pairs.astype(np.int64), together, (lost[0], lost[1]))


def heaviest_of(weight: Floats, group: Ints, number: int) -> Ints:
    """Positions, in order, of the positive weights that are among so many heaviest of their group."""
    return np.flatnonzero((_ranks(group, (-weight,)) < number) & (weight > NOTHING))


def _sums(items: Ints, habits: Sequence[Habit], day: int, memory: Memory) -> Floats:
    sums = np.zeros((len(items), 3))
    rows = [(habit.weight_on(day, memory), 1.0, habit.times - 1.0) for habit in habits]
    sums[np.searchsorted(items, [habit.item for habit in habits])] = np.reshape(rows, (-1, 3))
    return sums


def _broad(base: Profiles, memory: Memory, breadth: int) -> Profiles:
    """Each customer with the heaviest items only, chosen as `Habits.heaviest` does."""
    heaviest_first = -np.round(np.log2(base.weight) + base.last / memory.half_life, DIGITS)
    return base.only(_ranks(base.owner, (base.item, -base.last, heaviest_first)) < breadth)


def _ranks(group: Ints, keys: tuple[Ints | Floats, ...]) -> Ints:
    """The place of each entry within its group, from 0, by the keys, the last of which counts first."""
    order = np.lexsort((*keys, group))
    sizes = np.unique(group, return_counts=True)[1]
    ranks = np.empty(len(group), np.int64)
    ranks[order] = np.arange(len(group)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return ranks


def _summed(keys: Sequence[Ints], rows: Sequence[Floats]) -> tuple[Ints, Floats]:
    every, where = np.unique(np.concatenate(keys), return_inverse=True)
    sums = np.stack([_counted(where, column, len(every)) for column in np.concatenate(rows).T], axis=1)
    something = (np.abs(sums) > NOTHING).any(axis=1)
    return every[something], sums[something]


def _counted(where: Ints, weights: Floats, length: int) -> Floats:
    return np.bincount(where, weights, length).astype(np.float64)
