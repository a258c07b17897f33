"""What stands in a register for what nobody asked: noreply@shop.example, 123456789, the first of January 1900.

Such a value is told from a family's phone by who has it: far more records than have any other, and nearly each of another name.
"""

from dataclasses import dataclass

import numpy as np

from services.contacts.domain.matching.kinds import Kind
from services.contacts.domain.matching.table import ABSENT, Table

OF_FEW = (Kind.IDENTIFIER, Kind.EMAIL, Kind.PHONE, Kind.BIRTH)
"""Kinds of which hardly two people have the same value."""
WHO = (Kind.FAMILY, Kind.NAME, Kind.ORGANISATION)
LEAST = 10
"""Records that a stand-in has at least, and"""
OFTENER = 20
"""how many times as many as a value of its column has on average."""
DIFFERENT = 0.5
"""Of the records with a name, the share of different ones from which on the value is nobody's."""


@dataclass(frozen=True)
class StandIn:
    column: str
    value: str
    records: int


def forget_stand_ins(table: Table) -> list[StandIn]:
    """Leave these values out of the table, which is not indexed yet. Returns which, those of most records first."""
    who = table.where(*WHO)[:1]
    found = []
    for place in table.where(*OF_FEW) if who else ():
        column = table.columns[place]
        counts = np.array(column.counts)
        counts[ABSENT] = 0
        mean = counts.sum() / max(int((counts > 0).sum()), 1)
        for code in np.flatnonzero(counts >= max(LEAST, OFTENER * mean)).tolist():
            rows = column.codes[: table.rows] == code
            names = table.columns[who[0]].codes[: table.rows][rows]
            names = names[names != ABSENT]
            if len(names) and len(np.unique(names)) >= DIFFERENT * len(names):
                found.append(StandIn(column.field.name, column.values[code], int(counts[code])))
                table.forget(place, code)
    return sorted(found, key=lambda one: -one.records)
