"""A strategy for rules over the fields that the histories of `facts.py` fill."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from hypothesis import strategies as st

from tests.campaigns.facts import CHANNELS, CODES, KINDS, PURPOSES, amounts, day, moments, scalars

Question = dict[str, Any]

TEXTS = {
    "contact.stage": ["lead", "prospect", "customer"],
    "contact.language": ["de", "en", "fr"],
    "contact.country": ["US", "DE"],
    "contact.time_zone": ["Europe/Vienna", "Asia/Kolkata"],
    "score.segment": ["new", "valuable", "valuable-slipping", "gone"],
    "score.rfm": ["champions", "loyal", "lost"],
    "score.value_class": ["A", "B", "L"],
    **{f"consent.{purpose}": ["granted", "denied", "withdrawn", "expired"] for purpose in PURPOSES},
    **{
        f"consent.{purpose}@{channel}": ["granted", "denied", "expired"] for purpose in PURPOSES for channel in CHANNELS
    },
}
NUMBERS = ["sales.orders", "sales.cancelled", "score.p_alive", "score.purchases", "interactions.count"] + [
    f"interactions.count.{kind}" for kind in KINDS
]
AMOUNTS = ["sales.total", "sales.returned", "score.value", "score.money"]
TIMES = ["sales.first_order_at", "sales.last_order_at", "interactions.last_at", "score.last_purchase"] + [
    f"interactions.last_at.{kind}" for kind in KINDS
]
numbers = st.one_of(st.integers(-1, 4), st.sampled_from([0.25, 0.5, 1.0]))


def asked(field: str, operators: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Question]:
    operators |= {"exists": st.booleans()}
    return st.sampled_from(sorted(operators)).flatmap(
        lambda operator: operators[operator].map(lambda operand: {"field": field, operator: operand})
    )


def written(moment: datetime) -> str:
    return moment.isoformat()


def choices(one: st.SearchStrategy[Any]) -> dict[str, st.SearchStrategy[Any]]:
    return {"is": one, "in": st.lists(one, min_size=1, max_size=3)}


def about(fields: Iterable[str]) -> st.SearchStrategy[Question]:
    return st.sampled_from(sorted(fields)).flatmap(lambda field: asked(field, choices(st.sampled_from(TEXTS[field]))))


texts = about(TEXTS)
figures = st.sampled_from(NUMBERS).flatmap(
    lambda field: asked(field, choices(numbers) | {"at_least": numbers, "at_most": numbers})
)
sums = st.sampled_from(AMOUNTS).flatmap(
    lambda field: asked(field, {"at_least": amounts.map(str), "at_most": amounts.map(str)})
)
days = st.integers(0, 400)
times = st.sampled_from(TIMES).flatmap(
    lambda field: asked(
        field,
        {
            "before": st.one_of(moments, days.map(day)).map(written),
            "after": st.one_of(moments, days.map(day)).map(written),
            "days_ago_at_least": days,
            "days_ago_at_most": days,
        },
    )
)
some_scalars = scalars.filter(lambda value: value is not None)
attributes = st.sampled_from(CODES).flatmap(
    lambda code: asked(f"contact.attributes.{code}", choices(some_scalars) | {"at_least": numbers, "at_most": numbers})
)
flags = st.sampled_from(["do-not-contact", *(f"do-not-contact@{channel}" for channel in CHANNELS)]).flatmap(
    lambda field: st.booleans().map(lambda said: {"field": field, "is": said})
)
permissions = st.one_of(about(field for field in TEXTS if field.startswith("consent.")), flags)
"""Those whose answer changes with time alone."""
conditions = st.one_of(texts, figures, sums, times, attributes, flags)
questions = st.recursive(
    conditions,
    lambda parts: st.one_of(
        st.lists(parts, min_size=1, max_size=3).map(lambda listed: {"all": listed}),
        st.lists(parts, min_size=1, max_size=3).map(lambda listed: {"any": listed}),
        parts.map(lambda part: {"not": part}),
    ),
    max_leaves=5,
)
