"""The weights learnt from the records themselves, without any known match: u from random pairs, m and the prior by EM.

The E-step is the very evidence that decides afterwards, with its rules on households and contradictions; so the members of
a household, who agree in much, do not teach what a duplicate looks like. Every m starts from what duplicates usually are
and is drawn towards that by a few imagined pairs, so that with few or no duplicates nothing collapses.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from services.contacts.domain.matching.evidence import Evidence, Floats, Weights, evidence, posterior
from services.contacts.domain.matching.kinds import SCALES, Kind
from services.contacts.domain.matching.table import Compared, Field, Ints, Table, compared

IMAGINED = 20.0
"""Pairs that the start of each m counts for."""
RANDOM_PAIRS = 200_000
LEARN_FROM = 300_000
"""Candidate pairs, drawn from all of them; m has a few dozen numbers."""
ROUNDS = 30
SETTLED = 1e-4
ENOUGH = 30
"""Sure matches below which m is as good as assumed."""
SURE = 0.95
LIKELY = 0.5
MOST_DIFFERENT = 0.5
LEAST_M = 1e-6
HOUSEHOLD = (-2.0, 10.0)
"""log2 odds that two records of one household are one person's: learnt, but only within 1 to 4 and 1,000 to 1."""
SEED = 20_240_229


def start(fields: Sequence[Field], records: int) -> Weights:
    """Before anything is learnt: usual m; u as if each level of disagreement were twice as common as the one above it."""
    m = tuple(np.array([degree.start for degree in SCALES[one.kind].degrees]) for one in fields)
    u = tuple(np.exp2(np.arange(len(one))) * 1e-3 for one in m)
    u = tuple(np.append(one[:-1], 1 - one[:-1].sum()) for one in u)
    return Weights(tuple(fields), m, u, _prior(records / 20, records), household=-1.0)


def random_pairs(live: Ints, count: int = RANDOM_PAIRS, seed: int = SEED) -> tuple[Ints, Ints]:
    """Pairs of different rows; all of them where they are few."""
    n = len(live)
    if n * (n - 1) // 2 <= count:
        a, b = np.triu_indices(n, 1)
        return live[a], live[b]
    random = np.random.default_rng(seed)
    a, step = random.integers(0, n, count), random.integers(1, n, count)
    return live[a], live[(a + step) % n]


@dataclass(frozen=True)
class Sample:
    """Where the table holds some of the records only: `rows` drawn evenly from all of them, and their neighbours, so that each of
    the candidates stands for `standing` pairs among all. Values are as frequent as `compare` says.
    """

    rows: Ints
    standing: float
    compare: Callable[[Table, Ints, Ints], Compared]


def learn(
    table: Table,
    candidates: tuple[Ints, Ints],
    records: int,
    advance: Callable[[str], None] = lambda _: None,
    sample: Sample | None = None,
) -> Weights:
    """Weights for `records`, all or a sample of which are in the table; `candidates` are its pairs worth comparing."""
    weights = start(table.fields, records)
    sample = sample or Sample(np.arange(table.rows), 1.0, compared)
    if records < 2 or len(sample.rows) < 2:
        return replace(weights, doubts=("There are fewer than two records.",))
    anyone = sample.compare(table, *random_pairs(sample.rows))
    chosen = _drawn(len(candidates[0]))
    pairs = sample.compare(table, candidates[0][chosen], candidates[1][chosen])
    scale = len(candidates[0]) / max(len(pairs), 1)
    weights = replace(weights, u=_u(weights, anyone, np.zeros(len(anyone))))
    for again in range(2):
        advance(f"learning what tells duplicates apart, pass {again + 1} of 2")
        weights = _em(weights, pairs, records, scale, sample.standing)
        # Some random pairs are matches: what is u among the others is known once these are.
        weights = replace(weights, u=_u(weights, anyone, evidence(weights, anyone).probability))
    sure = float((evidence(weights, pairs).probability >= SURE).sum()) * scale
    return replace(weights, doubts=tuple(_doubts(weights, sure)))


def _drawn(count: int) -> Ints:
    if count <= LEARN_FROM:
        return np.arange(count)
    return np.sort(np.random.default_rng(SEED).choice(count, LEARN_FROM, replace=False))


def _em(weights: Weights, pairs: Compared, records: int, scale: float, standing: float) -> Weights:
    for _ in range(ROUNDS):
        found = evidence(weights, pairs)
        after = _m_step(weights, pairs, found, records, scale, standing)
        moved = max((float(np.abs(a - b).max()) for a, b in zip(after.m, weights.m, strict=True)), default=0.0)
        weights = after
        if moved < SETTLED:
            break
    return weights


def _m_step(weights: Weights, pairs: Compared, found: Evidence, records: int, scale: float, standing: float) -> Weights:
    # A pair that only a person can decide teaches nothing: households have thousands of them. Nor do pairs that are rather
    # none: where duplicates are few, a hundred thousand of these would add up to more than all that are.
    p = np.where(found.against | (found.probability < LIKELY), 0.0, found.probability)
    m = []
    for place, one in enumerate(weights.fields):
        imagined = np.array([degree.start for degree in SCALES[one.kind].degrees]) * IMAGINED
        counts = _counts(pairs, place, p, len(imagined)) * scale + imagined
        m.append(_bounded(counts / counts.sum()))
    # Of m, no more is known than what was seen; how many matches there are among all, what was seen stands for.
    matches = float(p.sum()) * scale * standing
    household = weights.household
    if (of_households := posterior(found.unruled[found.one_household])).size:
        # Beta(1, 2): until households are seen, one record in three of a household is imagined to be the same person's.
        share = (of_households.sum() + 1.0) / (of_households.size + 3.0)
        household = float(np.clip(np.log2(share / (1 - share)), *HOUSEHOLD))
    return replace(
        weights,
        m=tuple(m),
        prior=_prior(matches, records),
        household=household,
        matches=matches,
        partners=2 * matches / max(records, 1),
    )


def _bounded(m: Floats) -> Floats:
    """At most every other duplicate differs in a field altogether: more, and it is something else that was learnt."""
    different = min(float(m[-1]), MOST_DIFFERENT)
    return np.append(m[:-1] * (1 - different) / max(float(m[:-1].sum()), 1e-12), different)


def _prior(matches: float, records: int) -> float:
    """log2 odds of any two records to match; at least one match is imagined, and never more than a tenth of all pairs."""
    pairs = max(records * (records - 1) / 2, 1.0)
    share = min((matches + 1.0) / pairs, 0.1)
    return float(np.log2(share / (1 - share)))


def _counts(pairs: Compared, place: int, weight: Floats, size: int) -> Floats:
    present = pairs.levels[place] >= 0
    return np.bincount(pairs.levels[place][present], weight[present], minlength=size).astype(np.float64)


def _u(weights: Weights, anyone: Compared, matching: Floats) -> tuple[Floats, ...]:
    """Shares of the levels among pairs that do not match; a level never seen counts half a pair."""
    found = []
    for place, m in enumerate(weights.m):
        counts = _counts(anyone, place, 1.0 - matching, len(m)) + 0.5
        found.append(_falling(counts / counts.sum(), m))
    return tuple(found)


def _falling(u: Floats, m: Floats) -> Floats:
    """u moved where chance would make a worse agreement weigh more than a better one: such neighbours weigh what they do
    together (pool adjacent violators; Ayer et al. 1955). An age is one more in each year's snapshot, and hardly ever the same.
    """
    blocks: list[list[int]] = []
    for level in range(len(u) - 1):
        blocks.append([level])
        while len(blocks) > 1 and _ratio(m, u, blocks[-2]) < _ratio(m, u, blocks[-1]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    found = u.copy()
    for block in blocks:
        for level in block:
            found[level] = max(m[level], LEAST_M) / _ratio(m, u, block)
    return found


def _ratio(m: Floats, u: Floats, block: list[int]) -> float:
    return max(float(m[block].sum()), LEAST_M) / float(u[block].sum())


def _doubts(weights: Weights, sure: float) -> list[str]:
    doubts = []
    if sure < ENOUGH:
        doubts.append(
            f"Only about {sure:.0f} pairs surely look like duplicates: what tells them apart is mostly assumed, not learnt."
        )
    kinds = {one.kind for one in weights.fields}
    if not kinds & {Kind.GIVEN, Kind.NAME, Kind.ORGANISATION, Kind.IDENTIFIER, Kind.EMAIL}:
        doubts.append("No column says who somebody is (a name, an identifier or an e-mail): little can be decided.")
    if len(weights.fields) < 3:
        doubts.append("With fewer than three columns to compare, few duplicates can be told from namesakes.")
    return doubts
