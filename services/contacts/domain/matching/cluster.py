"""Pairs become customers: two groups are joined while, on average over all their pairs, the evidence is for it.

Not by single links: one wrong pair would chain two families together. What one weak bridge holds stays two clusters.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from services.contacts.domain.matching.evidence import Floats
from services.contacts.domain.matching.table import Ints

Score = Callable[[Ints, Ints], tuple[Floats, Floats]]
"""log2 odds of pairs of rows, and how much each pair has a say: the share of what could be compared that both have."""

FULLY_COMPARED = 60
"""Rows of a component up to which all their pairs are weighed: 1,770. Beyond, each join looks at some of its pairs."""
SEEN = 8
"""Of each of two large groups, the rows that a join looks at: 64 pairs."""
BATCH = 500_000
"""Pairs that are weighed at a time."""
AT_MOST = 20.0
"""Bits that one pair counts in an average, for or against: beyond, a sure pair is a sure pair."""

Known = dict[tuple[int, int], tuple[float, float]]


def clusters(left: Ints, right: Ints, odds: Floats, score: Score, needed: float) -> list[list[int]]:
    """Groups of two rows or more, each sorted, from pairs with their log2 odds (those to be joined by themselves).

    `needed` are the log2 odds that the average of all pairs between two groups must have where they are joined; what two records
    lack is no evidence, so that each pair counts for as much as it can say.
    """
    components = _components(left, right, odds)
    known = _known([rows for rows, _ in components if 2 < len(rows) <= FULLY_COMPARED], score)
    found: list[list[int]] = []
    for rows, links in components:
        found += [list(rows)] if len(rows) == 2 else _split(links, known, score, needed)
    return sorted(found)


def _known(components: Sequence[tuple[int, ...]], score: Score) -> Known:
    """The weights of all pairs within each of the components, weighed together."""
    known: Known = {}
    parts = []
    for rows in components:
        first, second = np.triu_indices(len(rows), 1)
        places = np.array(rows)
        parts.append((places[first], places[second]))
    if parts:
        left, right = (np.concatenate(side) for side in zip(*parts, strict=True))
        for begin in range(0, len(left), BATCH):
            _remember(known, left[begin : begin + BATCH], right[begin : begin + BATCH], score)
    return known


Link = tuple[float, int, int]


def _components(left: Ints, right: Ints, odds: Floats) -> list[tuple[tuple[int, ...], list[Link]]]:
    parent: dict[int, int] = {}

    def root(row: int) -> int:
        while parent.setdefault(row, row) != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    pairs = list(zip(left.tolist(), right.tolist(), strict=True))
    for a, b in pairs:
        parent[root(a)] = root(b)
    members: dict[int, list[int]] = defaultdict(list)
    links: dict[int, list[Link]] = defaultdict(list)
    for row in list(parent):
        members[root(row)].append(row)
    for (a, b), weight in zip(pairs, odds.tolist(), strict=True):
        links[root(a)].append((weight, a, b))
    return [(tuple(sorted(rows)), links[top]) for top, rows in members.items()]


def _split(links: list[Link], known: Known, score: Score, needed: float) -> list[list[int]]:
    group = {row: [row] for _, a, b in links for row in (a, b)}
    for _, a, b in sorted(links, key=lambda link: (-link[0], link[1], link[2])):
        one, other = group[a], group[b]
        if one is other:
            continue
        if _between(one, other, known, score) < needed:
            continue
        # The smaller goes into the larger, so that thousands of rows are not copied at each step.
        few, many = sorted((one, other), key=len)
        many.extend(few)
        group.update(dict.fromkeys(few, many))
    distinct = {id(members): members for members in group.values()}
    return [sorted(members) for members in distinct.values() if len(members) > 1]


def _between(one: Sequence[int], other: Sequence[int], known: Known, score: Score) -> float:
    """The average log2 odds of the pairs between two groups, each pair counted for what it can say."""
    if len(one) + len(other) > FULLY_COMPARED:
        one, other = (rows[:: -(-len(rows) // SEEN)] for rows in (one, other))
    pairs = [(min(a, b), max(a, b)) for a in one for b in other]
    if new := [pair for pair in pairs if pair not in known]:
        _remember(known, np.array([a for a, _ in new]), np.array([b for _, b in new]), score)
    told = [known[pair] for pair in pairs]
    say = sum(voice for _, voice in told)
    return sum(odds * voice for odds, voice in told) / say if say else 0.0


def _remember(known: Known, left: Ints, right: Ints, score: Score) -> None:
    odds, voice = score(left, right)
    said = zip(np.clip(odds, -AT_MOST, AT_MOST).tolist(), voice.tolist(), strict=True)
    known.update(zip(zip(left.tolist(), right.tolist(), strict=True), said, strict=True))


def one_to_one(left: Ints, right: Ints, odds: Floats) -> Ints:
    """Of pairs between two files without duplicates of their own, those that stay when each record has one partner at
    most: the surest first. Returns their places.
    """
    taken: set[int] = set()
    kept = []
    for place in np.lexsort((right, left, -odds)).tolist():
        a, b = int(left[place]), int(right[place])
        if a not in taken and b not in taken:
            taken |= {a, b}
            kept.append(place)
    return np.array(sorted(kept), np.int64)


def pairs_within(groups: Iterable[Sequence[int]]) -> int:
    """How many pairs the groups imply."""
    return sum(len(group) * (len(group) - 1) // 2 for group in groups)
