"""What the degrees of agreement weigh together (Fellegi and Sunter 1969), in bits: log2 of how much likelier they make a match.

A field's weight is log2(m / u): m is the share of true matches that agree so far, u that of any two records. For the same
value, u is that value's own share of the records (term frequency): of those records, that are somebody else's. Fields are taken as independent, save where they are
known not to be:

- A move changes street, number, postcode and city at once, and is one event: these count against a match once.
- A household has its family name, address and phone in common. Whatever these add up to, they only say that it is one
  household; that it is one person of it, the other fields have to say.
- Another given name, whatever else agrees: a person decides, for twins share all but that. Another day of birth or number
  within a household: father and son may have one name. Only in a file in which hardly
  any two members of one household occur, so that there can be no twins to speak of, it weighs as any other field does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from services.contacts.domain.matching.kinds import ADDRESS, MISSING, SAME, SCALES, SHARED, SWAPPED, Kind
from services.contacts.domain.matching.table import Compared, Field

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

EMAIL_ALIKE = 2
NAMED = 2
"""Level of a name, up to which an e-mail address made of it is alike too."""
LIKE_ITS_NAME = 1.0
"""Bits that such an address says at most."""
AGAINST = -1.0
"""log2 odds that a pair with something against it has at most: 1 to 2."""
NO_HOUSEHOLDS = 5.0
"""log2 odds of two records of one household to be one person's, from which on there are hardly any households: 32 to 1.
Of pairs of siblings one in fifty or so are twins, so that of 1,600 such pairs one would be."""
NAMED_AFTER = 0.01
"""Share of pairs in a household that have one given name: son and father, about one in a hundred."""
MOVE = 1.0
"""Bits that a whole changed address counts beyond its most telling field."""
CLEAREST = 8.0
"""Bits that one field can speak against a match: typists do take the wrong line once in a few hundred times."""


@dataclass(frozen=True)
class Weights:
    """`m` and `u` by field and level; `prior` and `household` are log2 odds: of any two records to be one customer's,
    and of two in one household.
    """

    fields: tuple[Field, ...]
    m: tuple[Floats, ...]
    u: tuple[Floats, ...]
    prior: float
    household: float
    matches: float = 0.0
    """How many pairs EM learnt m from. Below a few dozen, m is what was assumed."""
    partners: float = 0.0
    """How many duplicates a record has on average."""
    doubts: tuple[str, ...] = field(default=())

    @property
    def shared(self) -> list[int]:
        """The fields that a household shares; none, if without them nothing would say who somebody is."""
        found = [place for place, one in enumerate(self.fields) if one.kind in SHARED or one.kind is Kind.TEXT]
        telling = {one.kind for one in self.fields} - {*SHARED, Kind.TEXT, Kind.CATEGORY, Kind.SUFFIX}
        if telling:
            return found
        family = [place for place in found if self.fields[place].kind is Kind.FAMILY]
        return [place for place in found if place not in family] if family else []


@dataclass(frozen=True)
class Evidence:
    """Of pairs: bits by field (fields, pairs), log2 odds in all, and which rules held it down."""

    bits: Floats
    total: Floats
    one_household: Flags
    against: Flags
    unruled: Floats
    """The log2 odds before something against a pair held them down."""

    @property
    def probability(self) -> Floats:
        """The posterior of a match."""
        return posterior(self.total)


def posterior(odds: Floats) -> Floats:
    """Of log2 odds."""
    found: Floats = 1.0 / (1.0 + np.exp2(-np.clip(odds, -1000, 1000)))
    return found


def evidence(weights: Weights, pairs: Compared) -> Evidence:
    bits = np.zeros(pairs.levels.shape)
    for place in range(len(weights.fields)):
        bits[place] = _bits(weights, place, pairs)
    shared = _together(weights, bits)
    alone = [place for place in range(len(weights.fields)) if place not in weights.shared]
    telling = bits[alone].sum(axis=0)
    if weights.household < NO_HOUSEHOLDS:
        telling = telling - _named_alike(weights, pairs, bits)
    ceiling = weights.household - weights.prior
    one_household = shared > ceiling if weights.shared else np.zeros(len(pairs), bool)
    telling = telling + np.where(one_household, _first_names_at_home(weights, pairs, bits), 0.0)
    total = weights.prior + telling + np.where(one_household, ceiling, shared)
    against = np.zeros(len(pairs), bool)
    if weights.household < NO_HOUSEHOLDS:
        against = speaking_against(weights.fields, pairs, one_household) & (total > AGAINST)
    return Evidence(bits, np.where(against, AGAINST, total), one_household, against, total)


def say(weights: Weights, pairs: Compared) -> Floats:
    """Of each pair, the share of what equal values of all fields would say that could be said of the fields that both have."""
    telling = np.array(
        [
            max(float(np.log2(m[SAME] / max(u[SAME], unit))), 0.0)
            for m, u, unit in zip(weights.m, weights.u, pairs.unit, strict=True)
        ]
    )
    found: Floats = (pairs.levels != MISSING).T @ telling / max(float(telling.sum()), 1e-9)
    return found


def _bits(weights: Weights, place: int, pairs: Compared) -> Floats:
    """Of one field. A near miss of a common name is as common as the name itself, so its u is no less than its share."""
    m, u, levels = weights.m[place], weights.u[place], pairs.levels[place]
    present = levels != MISSING
    level = np.where(present, levels, 0)
    # Of the records with this value, this one and its own duplicates are not somebody else's; half a record is imagined.
    one = pairs.unit[place]
    share = np.maximum(pairs.shares[place] - (1.0 + weights.partners) * one, 0.5 * one)
    near = level < len(m) - 1
    if weights.fields[place].kind in {Kind.GIVEN, Kind.FAMILY}:
        near &= level != SWAPPED
    # The same says no less than nearly the same: of ages in snapshots hardly two are equal.
    same = np.minimum(share, m[SAME] / m[1] * np.maximum(u[1], share)) if len(m) > 2 else share
    chance = np.where(level == SAME, same, np.maximum(u[level], np.where(near, share, 0.0)))
    # Members of a household differ in this almost always: that they do says as little against chance as u = 1.
    chance = np.where(np.isin(level, SCALES[weights.fields[place].kind].against), 1.0, chance)
    found: Floats = np.where(present, np.clip(np.log2(m[level] / chance), -CLEAREST, None), 0.0)
    return found


def _first_names_at_home(weights: Weights, pairs: Compared, bits: Floats) -> Floats:
    """What the same given name says more within a household, however common it is: parents seldom give a name twice."""
    found = np.zeros(len(pairs))
    for place, one in enumerate(weights.fields):
        if one.kind is Kind.GIVEN:
            at_home = np.log2(weights.m[place][SAME] / NAMED_AFTER)
            found += np.where(pairs.levels[place] == SAME, np.maximum(at_home - bits[place], 0.0), 0.0)
    return found


def _together(weights: Weights, bits: Floats) -> Floats:
    """What a household shares, with a move counted once."""
    address = [place for place in weights.shared if weights.fields[place].kind in ADDRESS]
    rest = [place for place in weights.shared if place not in address]
    total: Floats = bits[rest].sum(axis=0)
    if address:
        total = total + np.maximum(bits[address].sum(axis=0), np.minimum(bits[address].min(axis=0), 0.0) - MOVE)
    return total


def _named_alike(weights: Weights, pairs: Compared, bits: Floats) -> Floats:
    """What e-mail addresses that are only alike say beyond the names that people make them of, to be taken off again:
    all where the given or the family name agrees already.
    """
    names = [place for place, one in enumerate(weights.fields) if one.kind in {Kind.GIVEN, Kind.FAMILY, Kind.NAME}]
    places = [place for place, one in enumerate(weights.fields) if one.kind is Kind.EMAIL]
    named = ((pairs.levels[names] >= SAME) & (pairs.levels[names] <= NAMED)).any(axis=0)
    alike = np.where(pairs.levels[places] == EMAIL_ALIKE, np.maximum(bits[places], 0.0), 0.0).sum(axis=0)
    found: Floats = np.where(named, np.maximum(alike - LIKE_ITS_NAME, 0.0), 0.0)
    return found


def speaking_against(fields: Sequence[Field], pairs: Compared, at_home: Flags) -> Flags:
    """Pairs with something against them that no sum outweighs, unless an identifier is the same."""
    found = np.zeros(len(pairs), bool)
    proof = np.zeros(len(pairs), bool)
    for place, one in enumerate(fields):
        scale = SCALES[one.kind]
        found |= np.isin(pairs.levels[place], scale.against) | (at_home & np.isin(pairs.levels[place], scale.at_home))
        if one.kind is Kind.IDENTIFIER:
            proof |= (pairs.levels[place] == SAME) & (pairs.shares[place] < 1e-2)
    return found & ~proof
