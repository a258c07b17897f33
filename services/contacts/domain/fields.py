"""Fields that a company defines for its own contacts while everything runs: what they hold and who may see them. Pure.

Their values are `attributes` of the contact. Attributes that nobody has defined are taken as they come, as ever.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import SchemaError, SchemaValidator, ValidationError, core_schema

from shared.contracts.fact import MAX_TEXT, Code

FieldType = Literal["text", "number", "decimal", "date", "bool", "choice", "list"]
Sensitivity = Literal["public", "internal", "sensitive"]
Value: TypeAlias = str | int | float | bool | None
FieldName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
"""Without a dot: the database takes a dot for a path."""
LANGUAGE = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"
MAX_FIELDS = 200
"""That can be defined. A contact holds 50 attributes; a company that needs more fields than this wants a service of its own."""
MAX_SEARCHABLE = 20
"""Each takes two indexes, and MongoDB allows 64 in a collection."""
MAX_DIGITS = 40
"""Of a decimal, with its point and sign; written out, as exact numbers of money and measures are."""
DECIMAL = re.compile(r"[+-]?[0-9]{1,36}(\.[0-9]{1,18})?")


def linear(pattern: str) -> str:
    """Refuse what is no regular expression for the engine that we use, which needs time linear in the text, always."""
    try:
        _matcher(pattern)
    except SchemaError:
        raise ValueError("is no regular expression without look-around and back-references") from None
    return pattern


@cache
def _matcher(pattern: str) -> SchemaValidator:
    """Pydantic's own engine is Rust's `regex`: a finite automaton, which cannot backtrack (https://docs.rs/regex)."""
    return SchemaValidator(core_schema.str_schema(pattern=rf"\A(?:{pattern})\z", regex_engine="rust-regex"))


class Rules(BaseModel):
    """What a value must be, by the type of its field. A list is a text of choices with commas between them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: FieldType
    pattern: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(linear)] | None = None
    """Of the whole text."""
    min_length: Annotated[int, Field(ge=0, le=MAX_TEXT)] | None = None
    max_length: Annotated[int, Field(ge=1, le=MAX_TEXT)] | None = None
    """Of a text in characters; of a list in choices."""
    minimum: Annotated[str, Field(max_length=MAX_DIGITS)] | None = None
    maximum: Annotated[str, Field(max_length=MAX_DIGITS)] | None = None
    """Of a number, a decimal or a date, written as such."""
    choices: Annotated[list[Code], Field(min_length=1, max_length=200)] | None = None

    @model_validator(mode="after")
    def rules_fit_the_type(self) -> Self:
        allowed = ALLOWED[self.type]
        for name in ("pattern", "min_length", "max_length", "minimum", "maximum", "choices"):
            if getattr(self, name) is not None and name not in allowed:
                raise ValueError(f"`{name}` says nothing of a {self.type}")
        if self.type in {"choice", "list"} and self.choices is None:
            raise ValueError(f"`choices` is needed for a {self.type}")
        low, high = (_bound(self.type, text) for text in (self.minimum, self.maximum))
        if low is not None and high is not None and low > high:
            raise ValueError("`minimum` must not be above `maximum`")
        if self.min_length is not None and self.max_length is not None and self.min_length > self.max_length:
            raise ValueError("`min_length` must not be above `max_length`")
        return self


ALLOWED: dict[FieldType, frozenset[str]] = {
    "text": frozenset({"pattern", "min_length", "max_length"}),
    "number": frozenset({"minimum", "maximum"}),
    "decimal": frozenset({"minimum", "maximum"}),
    "date": frozenset({"minimum", "maximum"}),
    "bool": frozenset(),
    "choice": frozenset({"choices"}),
    "list": frozenset({"choices", "min_length", "max_length"}),
}


class Definition(Rules):
    """A field. `title`: how it is called, by language."""

    sensitivity: Sensitivity = "internal"
    searchable: bool = False
    title: Annotated[
        dict[Annotated[str, Field(pattern=LANGUAGE)], Annotated[str, Field(min_length=1, max_length=200)]],
        Field(max_length=50),
    ] = {}


FIELD_REASONS = {
    "wrong-type": "was kept out: its field is defined to be of another type",
    "no-choice": "was kept out: it is none of the choices of its field",
    "wrong-length": "was kept out: it is shorter or longer than its field allows",
    "wrong-pattern": "was kept out: it has not the form that its field is defined to have",
    "out-of-range": "was kept out: it lies outside the range of its field",
    "field-dropped": "was kept out: its field is being removed",
}
"""A word for each reason why a value does not fit, as a person may read it after the value."""

Definitions: TypeAlias = Mapping[str, Definition]


def misfit(rules: Rules, value: Value) -> str | None:
    """Why a value is not one of the field, in a word that stays the same; None: it is, as is no value at all."""
    if value is None:
        return None
    match rules.type:
        case "text":
            return _text(rules, value)
        case "bool":
            return None if isinstance(value, bool) else "wrong-type"
        case "choice":
            return None if isinstance(value, str) and value in (rules.choices or ()) else "no-choice"
        case "list":
            return _list(rules, value)
    try:
        found = _ordered(rules.type, value)
    except (TypeError, ValueError, InvalidOperation):
        return "wrong-type"
    low, high = (_bound(rules.type, text) for text in (rules.minimum, rules.maximum))
    return "out-of-range" if (low is not None and found < low) or (high is not None and found > high) else None


def _text(rules: Rules, value: Value) -> str | None:
    if not isinstance(value, str):
        return "wrong-type"
    if not (rules.min_length or 0) <= len(value) <= (rules.max_length or MAX_TEXT):
        return "wrong-length"
    if rules.pattern is None:
        return None
    try:
        _matcher(rules.pattern).validate_python(value)
    except ValidationError:
        return "wrong-pattern"
    return None


def _list(rules: Rules, value: Value) -> str | None:
    if not isinstance(value, str):
        return "wrong-type"
    items = value.split(",") if value else []
    if len(set(items)) < len(items) or not set(items) <= set(rules.choices or ()):
        return "no-choice"
    return None if (rules.min_length or 0) <= len(items) <= (rules.max_length or MAX_TEXT) else "wrong-length"


def _ordered(type_: FieldType, value: Value) -> Any:
    """A value of a type that has an order. Raises TypeError, ValueError or InvalidOperation if it is of another."""
    if type_ == "number":
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(type(value))
        return Decimal(repr(value))
    if not isinstance(value, str):
        raise TypeError(type(value))
    if type_ == "date":
        found = date.fromisoformat(value)
        if found.isoformat() != value:
            raise ValueError("not as YYYY-MM-DD")
        return found
    if not DECIMAL.fullmatch(value):
        raise ValueError("not written out")
    return Decimal(value)


def _bound(type_: FieldType, text: str | None) -> Any:
    if text is None:
        return None
    try:
        return _ordered("decimal" if type_ == "number" else type_, text)
    except (TypeError, ValueError, InvalidOperation):
        raise ValueError(f"`minimum` and `maximum` must be written as a {type_}: {text!r} is not") from None


def misfits(definitions: Definitions, attributes: Mapping[str, Value]) -> dict[str, str]:
    """Of these attributes those that are not what their fields were defined to be, each with the reason."""
    if not definitions or not attributes:
        return {}
    return {
        name: reason
        for name, value in attributes.items()
        if name in definitions and (reason := misfit(definitions[name], value))
    }


def parsed(rules: Rules, text: str) -> Value:
    """A value as it stands in a URL. Raises ValueError if it is none of the field."""
    value: Value = text
    if rules.type == "bool":
        value = {"true": True, "false": False}.get(text)
    elif rules.type == "number":
        value = float(text) if DECIMAL.fullmatch(text) else None
    if value is None or misfit(rules, value):
        raise ValueError(f"is no {rules.type} of this field")
    return value


def entries(rules: Rules, text: str) -> list[str]:
    """What a list must contain, as it stands in a URL. Raises ValueError if it is not of the field's choices."""
    found = list(dict.fromkeys(text.split(",")))
    if not set(found) <= set(rules.choices or ()):
        raise ValueError("is no choice of this field, nor several with commas between them")
    return found


def sensitive(definitions: Definitions) -> frozenset[str]:
    return frozenset(name for name, one in definitions.items() if one.sensitivity == "sensitive")


def split(attributes: Mapping[str, Value], secret: Iterable[str]) -> tuple[dict[str, Value], dict[str, Value]]:
    """Those for everybody who may see the contact, and those for few."""
    hidden = set(secret)
    open_ = {name: value for name, value in attributes.items() if name not in hidden}
    return open_, {name: value for name, value in attributes.items() if name in hidden}
