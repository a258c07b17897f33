"""Segments as declarative rules: what may be written, checked field by field.

    {"all": [{"field": "score.segment", "is": "valuable-slipping"}, {"not": {"field": "sales.orders", "at_most": 3}}]}

What a rule means is in `meaning.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StrictBool,
    StrictInt,
    StrictStr,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from services.campaigns.domain.fields import FAMILIES, FIELDS, Kind, find
from services.campaigns.domain.profile import Scalar
from shared.contracts.fact import Amount
from shared.moments import to_the_millisecond

MAX_DEPTH = 8
MAX_PARTS = 200
MAX_CHOICES = 1000
MAX_TEXT = 256
INT64 = 2**63


Text = Annotated[StrictStr, Field(max_length=MAX_TEXT)]
TEXT: TypeAdapter[str] = TypeAdapter(Text)


def number(value: Any) -> int | float:
    """A JSON number that MongoDB can hold; whole numbers stay whole."""
    if isinstance(value, float) and isfinite(value):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and -INT64 <= value < INT64:
        return value
    raise PydanticCustomError("number", "a number is needed, finite and of at most 64 bits")


def plain(value: Any) -> Scalar:
    if isinstance(value, bool):
        return value
    return TEXT.validate_python(value) if isinstance(value, str) else number(value)


Number = Annotated[int | float, PlainValidator(number), WithJsonSchema({"type": "number"})]
Plain = Annotated[Scalar, PlainValidator(plain), WithJsonSchema({"type": ["string", "number", "boolean"]})]
Time = Annotated[AwareDatetime, AfterValidator(to_the_millisecond)]
Days = Annotated[StrictInt, Field(ge=0, le=36_500)]


class Node(BaseModel):
    """A rule or a part of one; what it does not know, it refuses."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=False, serialize_by_alias=True)


class All(Node):
    """Every part holds."""

    all: Annotated[list[Part], Field(min_length=1, max_length=MAX_PARTS)]


class Some(Node):
    """At least one part holds."""

    any: Annotated[list[Part], Field(min_length=1, max_length=MAX_PARTS)]


class Not(Node):
    """The part does not hold. A customer without the field is among these."""

    not_: Annotated[Part, Field(alias="not")]


class Condition(Node):
    """One question about one field: `field` and exactly one operator. Where the field is absent, the answer is no."""

    OPERATORS: ClassVar[tuple[str, ...]] = ("exists",)

    field: Annotated[str, Field(max_length=200)]
    exists: StrictBool | None = None

    @property
    def operator(self) -> str:
        """The one operator that was given, as it is written."""
        return next(name for name in type(self).OPERATORS if attribute(name) in self.model_fields_set)

    @property
    def operand(self) -> Any:
        return getattr(self, attribute(self.operator))

    @model_validator(mode="after")
    def one_question(self) -> Condition:
        given = [name for name in self.OPERATORS if attribute(name) in self.model_fields_set]
        if len(given) != 1 or getattr(self, attribute(given[0])) is None:
            raise PydanticCustomError(
                "one-operator", "give exactly one of {operators}", {"operators": ", ".join(self.OPERATORS)}
            )
        return self


class TextCondition(Condition):
    OPERATORS: ClassVar[tuple[str, ...]] = ("is", "in", "exists")

    is_: Annotated[Text | None, Field(alias="is")] = None
    in_: Annotated[list[Text] | None, Field(alias="in", min_length=1, max_length=MAX_CHOICES)] = None


class NumberCondition(Condition):
    OPERATORS: ClassVar[tuple[str, ...]] = ("is", "in", "at_least", "at_most", "exists")

    is_: Annotated[Number | None, Field(alias="is")] = None
    in_: Annotated[list[Number] | None, Field(alias="in", min_length=1, max_length=MAX_CHOICES)] = None
    at_least: Number | None = None
    at_most: Number | None = None


class MoneyCondition(Condition):
    OPERATORS: ClassVar[tuple[str, ...]] = ("at_least", "at_most", "exists")

    at_least: Amount | None = None
    at_most: Amount | None = None


class TimeCondition(Condition):
    """`before` a moment, or `after`: from it on. Or in days before the moment at which the rule is asked."""

    OPERATORS: ClassVar[tuple[str, ...]] = ("before", "after", "days_ago_at_least", "days_ago_at_most", "exists")

    before: Time | None = None
    after: Time | None = None
    days_ago_at_least: Days | None = None
    days_ago_at_most: Days | None = None


class FlagCondition(Condition):
    """True or false of everybody."""

    OPERATORS: ClassVar[tuple[str, ...]] = ("is",)

    is_: Annotated[StrictBool | None, Field(alias="is")] = None


class AnyCondition(Condition):
    OPERATORS: ClassVar[tuple[str, ...]] = ("is", "in", "at_least", "at_most", "exists")

    is_: Annotated[Plain | None, Field(alias="is")] = None
    in_: Annotated[list[Plain] | None, Field(alias="in", min_length=1, max_length=MAX_CHOICES)] = None
    at_least: Number | None = None
    at_most: Number | None = None


CONDITIONS: dict[Kind, type[Condition]] = {
    Kind.TEXT: TextCondition,
    Kind.NUMBER: NumberCondition,
    Kind.MONEY: MoneyCondition,
    Kind.TIME: TimeCondition,
    Kind.FLAG: FlagCondition,
    Kind.ANY: AnyCondition,
}
WORDS: dict[str, type[Node]] = {"all": All, "any": Some, "not": Not}


def attribute(operator: str) -> str:
    return {"is": "is_", "in": "in_"}.get(operator, operator)


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


for model in (All, Some, Not):
    model.model_rebuild()

Rule: TypeAlias = Annotated[Part, BeforeValidator(bounded)]
"""A whole rule."""
RULE: TypeAdapter[Node] = TypeAdapter(Rule)


def written(rule: Node) -> dict[str, Any]:
    """The rule as it is stored and told: plain JSON, as it was given."""
    return rule.model_dump(mode="json", exclude_unset=True)
