"""Segments as declarative rules: what may be written, checked field by field.

    {"all": [{"field": "score.segment", "is": "valuable-slipping"}, {"not": {"field": "sales.orders", "at_most": 3}}]}

What a rule means is in `meaning.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypeAlias

from pydantic import (
    BeforeValidator,
    Field,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from services.campaigns.domain.conditions import (
    CONDITIONS,
    AnyCondition,
    Condition,
    FlagCondition,
    MoneyCondition,
    Node,
    NumberCondition,
    TextCondition,
    TimeCondition,
)
from services.campaigns.domain.fields import FAMILIES, FIELDS, find

MAX_DEPTH = 8
MAX_PARTS = 200


class All(Node):
    """Every part holds."""

    all: Annotated[list[Part], Field(min_length=1, max_length=MAX_PARTS)]


class Some(Node):
    """At least one part holds."""

    any: Annotated[list[Part], Field(min_length=1, max_length=MAX_PARTS)]


class Not(Node):
    """The part does not hold. A customer without the field is among these."""

    not_: Annotated[Part, Field(alias="not")]


WORDS: dict[str, type[Node]] = {"all": All, "any": Some, "not": Not}


def pick(value: Any, _: ValidatorFunctionWrapHandler) -> Node:
    """Which model this part of a rule is, by its words and by its field's kind; so errors name one place, not five."""
    if isinstance(value, Node):
        return value
    if not isinstance(value, Mapping):
        raise PydanticCustomError("rule", "a rule is an object with `all`, `any`, `not`, or `field` and an operator")
    for word, model in WORDS.items():
        if word in value:
            return model.model_validate(value)
    return condition(value)


def condition(value: Mapping[str, Any]) -> Condition:
    name = value.get("field")
    field = find(name) if isinstance(name, str) else None
    if field is None:
        known = ", ".join([*FIELDS, *(family.name for family in FAMILIES)])
        raise wrong("field", name, "unknown-field", f"there is no such field; there are {known}")
    model = CONDITIONS[field.kind]
    for operator in value.keys() - {"field", *model.OPERATORS}:
        allowed = ", ".join(model.OPERATORS)
        raise wrong(operator, value[operator], "unknown-operator", f"a {field.kind} field can be asked for {allowed}")
    asked = model.model_validate(value)
    for word in words_of(asked) if field.words else ():
        if word not in field.words:
            raise wrong(asked.operator, word, "unknown-word", f"{name} is one of {', '.join(field.words)}")
    return asked


def words_of(asked: Condition) -> list[Any]:
    if asked.operator == "exists":
        return []
    return list(asked.operand) if asked.operator == "in" else [asked.operand]


def wrong(place: str, value: Any, code: str, message: str) -> ValidationError:
    error = PydanticCustomError(code, "{message}", {"message": message})
    return ValidationError.from_exception_data("rule", [InitErrorDetails(type=error, loc=(place,), input=value)])


Part: TypeAlias = Annotated[
    All | Some | Not | TextCondition | NumberCondition | MoneyCondition | TimeCondition | FlagCondition | AnyCondition,
    WrapValidator(pick),
]


def bounded(value: Any) -> Any:
    """Refuse rules too deep or too large to be meant, before anything recurses into them."""
    level, parts, depth = [value], 0, 0
    while level:
        parts, depth = parts + len(level), depth + 1
        if depth > MAX_DEPTH or parts > MAX_PARTS:
            raise PydanticCustomError(
                "too-large",
                "a rule has at most {parts} parts in {depth} levels",
                {"parts": MAX_PARTS, "depth": MAX_DEPTH},
            )
        level = [part for node in level for part in parts_of(node)]
    return value


def parts_of(node: Any) -> list[Any]:
    if not isinstance(node, Mapping):
        return []
    listed = [part for word in ("all", "any") if isinstance(node.get(word), list) for part in node[word]]
    return [*listed, node["not"]] if "not" in node else listed


def fields_of(rule: Any) -> Iterator[str]:
    """The names of all fields that a rule, as JSON, asks for."""
    for part in parts_of(rule):
        yield from fields_of(part)
    if isinstance(rule, Mapping) and isinstance(name := rule.get("field"), str):
        yield name


for model in (All, Some, Not):
    model.model_rebuild()

Rule: TypeAlias = Annotated[Part, BeforeValidator(bounded)]
"""A whole rule."""
RULE: TypeAdapter[Node] = TypeAdapter(Rule)


def written(rule: Node) -> dict[str, Any]:
    """The rule as it is stored and told: plain JSON, as it was given."""
    return rule.model_dump(mode="json", exclude_unset=True)
