"""Questions about one field of a customer, one kind of field a class: which operators there are and what they take."""

from __future__ import annotations

from math import isfinite
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    StrictBool,
    StrictInt,
    StrictStr,
    TypeAdapter,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from services.campaigns.domain.fields import Kind
from services.campaigns.domain.profile import Scalar
from shared.contracts.fact import Amount
from shared.moments import to_the_millisecond

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


def attribute(operator: str) -> str:
    return {"is": "is_", "in": "in_"}.get(operator, operator)
