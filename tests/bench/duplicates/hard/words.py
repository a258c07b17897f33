"""Names, towns and streets that never were, as unevenly frequent as real ones."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import accumulate

from tests.contacts.matching.people import FAMILY as FREQUENT_FAMILY, GIVEN as FREQUENT_GIVEN

SYLLABLES = """
al bar be bran car dar de ed el fa gar gil ha hal ir jo ka kel la lor ma mel na nor o os pa per ra ro sa ste ta tor ul va wen yar zel
ba chi da der fi ga ging ke lan li man men na ner ra rin ro sa ser ti to va ver wi
a an as da el en ena er ia ie ina is la lin na ny ra rd ric s us
by den dorf ell er ers ez field ford ham i ley man mann more ow s sen ski son ton ville well wood worth
bach borough burg bury by cester don field ford furt ham haven mouth pool port stead ton ville wick
"""
STARTS, MIDDLES, GIVEN_ENDS, FAMILY_ENDS, TOWN_ENDS = (line.split() for line in SYLLABLES.strip().splitlines())
ROADS = ("Street", "Road", "Lane", "Avenue", "Drive", "Close", "Court")
SHORT_FORMS = ("william bill", "william will", "robert bob", "richard dick", "elizabeth betty", "margaret maggie", "edward ted",
               "james jim", "john jack", "michael mike", "thomas tom", "susan sue", "joseph joe", "katherine kate")  # fmt: skip
SHORT = {one.split()[0]: one.split()[1] for one in SHORT_FORMS}


class Words:
    """A list of which the first is far more frequent than the last."""

    def __init__(self, words: Sequence[str], flat: float = 8.0) -> None:
        self.words = list(dict.fromkeys(words))
        self.weights = list(accumulate(1 / (place + flat) for place in range(len(self.words))))

    def one(self, dice: random.Random) -> str:
        return dice.choices(self.words, cum_weights=self.weights)[0]


def _made(dice: random.Random, ends: Sequence[str], count: int) -> list[str]:
    return [
        dice.choice(STARTS) + "".join(dice.choice(MIDDLES) for _ in range(dice.randint(0, 2))) + dice.choice(ends)
        for _ in range(count)
    ]


_DICE = random.Random(5)
GIVEN = Words([*FREQUENT_GIVEN, *SHORT, *_made(_DICE, GIVEN_ENDS, 500)])
FAMILY = Words([*FREQUENT_FAMILY, *_made(_DICE, FAMILY_ENDS, 6_000)], flat=30)
TOWNS = Words([one.title() for one in _made(_DICE, TOWN_ENDS, 400)])
STREETS = Words([one.title() for one in _made(_DICE, ("", *FAMILY_ENDS), 900)], flat=60)
OCCUPATIONS = Words(
    """clerk politician;farmer;writer;painter;teacher;soldier;lawyer;engineer;priest;physician;merchant;sailor;baker;composer;cricketer;
    footballer;botanist;architect;actor;publisher;missionary;naval officer;civil servant;chemist;sculptor;judge;banker""".replace(
        "\n    ", ""
    ).split(";")
)
