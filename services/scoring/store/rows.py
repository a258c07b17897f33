"""Scored customers as they are written, and read again one by one or many at a time.

The row repeats as ten doubles what a sweep needs, because decoding whole documents would take it ten times as long.
"""

import math
import struct
from collections.abc import Sequence
from decimal import Decimal

import numpy as np
from bson import Decimal128

from services.scoring.domain.channels import UNKNOWN, FirstOrder, code
from services.scoring.domain.histogram import Ints
from services.scoring.domain.population import Ranked
from services.scoring.domain.prediction import Histories, Told
from services.scoring.domain.purchases import Purchases
from services.scoring.domain.segments import SEGMENTS
from services.scoring.handlers import Known, Scored, Sheet
from services.scoring.store.bonds import bond_of
from shared.moments import as_micros, as_utc
from shared.mongo import Document

ROW = struct.Struct("<10d")
NO_ROW = ROW.pack(*[math.nan] * 10)
NOT_KEPT = b"\xff"
"""Eight of them are a NaN: rows of before the last gap was kept are shorter."""
BID = struct.Struct("<QQ")
EXPONENT_BIAS = 6176


def sheet_of(found: Sequence[Document]) -> Sheet:
    rows = b"".join(document["row"].ljust(ROW.size, NOT_KEPT) for document in found)
    table = np.frombuffer(rows, dtype="<f8").reshape(-1, 10)
    x, first_day, last_day, spend, money, p_alive, p_churn, value, segment, last_gap = table.T
    histories = Histories(x, first_day, last_day, spend, money, last_gap, came_of(found))
    told = Told(p_alive, p_churn, value, segment.astype(np.int8), Ranked.unpack(d.get("ranks") for d in found))
    due = np.array([document.get("due", 0) for document in found], dtype=np.int64)
    return Sheet([document["_id"] for document in found], histories, told, due)


def came_of(found: Sequence[Document]) -> Ints:
    """Customers saved before channels were kept have none."""
    return np.array([document.get("came", UNKNOWN) for document in found], dtype=np.int64)


def known_of(document: Document) -> Known:
    first, days = document.get("first"), Purchases.unpack(document["days"])
    # Customers saved before the moment was kept have none: any score is newer.
    as_of = as_utc(document.get("as_of", 0))
    return Known(days, as_of, document.get("ranks"), FirstOrder._make(first) if first else None, bond_of(document))


def document_of(one: Scored) -> Document:
    score = one.score
    return {
        "days": one.purchases.pack(),
        "row": _row(one),
        "ranks": one.ranks,
        "due": one.due,
        "first": one.first,
        "came": code(one.first),
        "purchases": score.purchases,
        "money": as_decimal128(score.money),
        "value": None if score.value is None else as_decimal128(score.value),
        "segment": score.segment,
        "as_of": as_micros(score.as_of),
        "told": one.json.decode(),
    }


def as_decimal128(amount: Decimal) -> Decimal128:
    """The same as `Decimal128(amount)`, below 10^12 and to six decimals, in a tenth of the time (IEEE 754-2008, BID)."""
    micros = int(amount.scaleb(6))
    high = (EXPONENT_BIAS - 6) << 49 | (1 << 63 if micros < 0 else 0)
    return Decimal128.from_bid(BID.pack(abs(micros), high))


def _row(one: Scored) -> bytes:
    purchases, score = one.purchases, one.score
    if not purchases.days:
        return NO_ROW
    return ROW.pack(
        purchases.frequency,
        purchases.first_day,
        purchases.last_day,
        max(purchases.repeat_spend, 0.0),
        purchases.micros / 1e6,
        math.nan if score.p_alive is None else score.p_alive,
        math.nan if score.p_churn is None else score.p_churn,
        math.nan if score.value is None else float(score.value),
        SEGMENTS.index(score.segment) if score.segment else -1,
        purchases.last_gap,
    )
