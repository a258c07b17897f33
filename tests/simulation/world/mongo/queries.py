"""MongoDB's filters and updates, as far as Rapport's stores use them. What is not modelled raises NotImplementedError."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from bson import Decimal128

from tests.simulation.world.modelled import NotModelled

Document = dict[str, Any]
MISSING: Any = type("Missing", (), {"__repr__": lambda _: "missing"})()


def lookup(document: Any, path: str) -> Any:
    """The value at a dotted path, or MISSING."""
    value = document
    for step in path.split("."):
        if not isinstance(value, Mapping) or step not in value:
            return MISSING
        value = value[step]
    return value


def matches(document: Document, wanted: Document, now: datetime) -> bool:
    return all(_condition(document, name, value, now) for name, value in wanted.items())


def _condition(document: Document, name: str, value: Any, now: datetime) -> bool:
    if name == "$or":
        return any(matches(document, branch, now) for branch in value)
    if name == "$and":
        return all(matches(document, branch, now) for branch in value)
    if name == "$expr":
        return bool(evaluate(value, document, now))
    if name.startswith("$"):
        raise NotModelled(f"filter {name}")
    found = lookup(document, name) if "." in name else document.get(name, MISSING)
    if isinstance(value, dict) and value and next(iter(value)).startswith("$"):
        return all(_compare(found, operator, operand) for operator, operand in value.items())
    if isinstance(found, list) and not isinstance(value, list):
        return value in found
    return bool(found == value) or (value is None and found is MISSING)


def _compare(found: Any, operator: str, operand: Any) -> bool:
    if operator in {"$in", "$nin"}:
        among = found if isinstance(found, list) else [found if found is not MISSING else None]
        return any(one in operand for one in among) is (operator == "$in")
    if operator == "$ne":
        # Of whatever type it is, also of none at all.
        return operand not in (found if isinstance(found, list) else [None if found is MISSING else found])
    if operator == "$regex":
        return isinstance(found, str) and re.search(operand, found) is not None
    if operator == "$exists":
        return (found is not MISSING) is bool(operand)
    if operator == "$type":
        return isinstance(found, {"object": dict, "date": datetime}[operand])
    if operator not in _ORDER:
        raise NotModelled(f"filter {operator}")
    # As in MongoDB, values of different types are never less or more than each other.
    comparable = found is not MISSING and found is not None and isinstance(found, type(operand))
    return comparable and _ORDER[operator](found, operand)


_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": lambda a, b: a > b,
    "$gte": lambda a, b: a >= b,
    "$lt": lambda a, b: a < b,
    "$lte": lambda a, b: a <= b,
}


def evaluate(expression: Any, document: Document, now: datetime) -> Any:
    """An aggregation expression."""
    if isinstance(expression, str):
        if expression == "$$NOW":
            return now
        return lookup(document, expression[1:]) if expression.startswith("$") else expression
    if not isinstance(expression, dict) or len(expression) != 1:
        return expression
    [(operator, operands)] = expression.items()
    if operator == "$literal":
        return operands
    if operator not in _FUNCTIONS:
        raise NotModelled(f"expression {operator}")
    return _FUNCTIONS[operator](*(evaluate(operand, document, now) for operand in operands))


def _less(first: Any, second: Any) -> bool:
    """A missing value sorts before all others."""
    return first is MISSING or (second is not MISSING and first < second)


def _if_null(value: Any, instead: Any) -> Any:
    return instead if value is MISSING or value is None else value


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "$lt": _less,
    "$gt": lambda first, second: _less(second, first),
    "$lte": lambda first, second: not _less(second, first),
    "$eq": lambda first, second: first == second,
    "$add": lambda moment, milliseconds: moment + timedelta(milliseconds=milliseconds),
    "$ifNull": _if_null,
    "$or": lambda *values: any(value is not MISSING and value for value in values),
    "$and": lambda *values: all(value is not MISSING and value for value in values),
}


def updated(document: Document, change: Document | list[Document], now: datetime, *, inserting: bool) -> Document:
    """The document after an update, which leaves the given one as it is."""
    result = dict(document)
    if isinstance(change, list):
        for stage in change:
            if list(stage) != ["$set"]:
                raise NotModelled(f"update stage {list(stage)}")
            result |= {name: evaluate(value, result, now) for name, value in stage["$set"].items()}
        return result
    for operator, fields in change.items():
        if operator == "$setOnInsert":
            if inserting:
                result |= fields
        elif operator == "$currentDate":
            result |= dict.fromkeys(fields, now)
        elif operator not in _UPDATES:
            raise NotModelled(f"update {operator}")
        else:
            for path, value in fields.items():
                _put(result, path, _UPDATES[operator], value)
    return result


def _put(document: Document, path: str, change: Callable[[Any, Any], Any], value: Any) -> None:
    *parents, last = path.split(".")
    place = document
    for step in parents:
        place[step] = dict(place.get(step) or {})
        place = place[step]
    new = change(place.get(last, MISSING), value)
    if new is MISSING:
        place.pop(last, None)
    else:
        place[last] = new


def _sum(before: Any, more: Any) -> Any:
    if before is MISSING:
        return more
    if isinstance(more, Decimal128):
        return Decimal128(before.to_decimal() + more.to_decimal())
    if isinstance(more, Decimal):
        raise TypeError("the driver does not take a Decimal")
    return before + more


def _with_all(before: list[Any], more: list[Any]) -> list[Any]:
    return [*before, *dict.fromkeys(one for one in more if one not in before)]


_UPDATES: dict[str, Callable[[Any, Any], Any]] = {
    "$set": lambda _, value: value,
    "$unset": lambda _before, _value: MISSING,
    "$inc": _sum,
    "$max": lambda before, value: value if before is MISSING or value > before else before,
    "$min": lambda before, value: value if before is MISSING or value < before else before,
    "$addToSet": lambda before, more: _with_all([] if before is MISSING else before, more["$each"]),
    "$push": lambda before, value: [*([] if before is MISSING else before), value],
}


def projected(document: Document, fields: Document | None) -> Document:
    """A copy with the named fields only; its values are shared and must not be changed."""
    if not fields:
        return dict(document)
    if not any(fields.values()):
        return {name: value for name, value in document.items() if name not in fields}
    if not all(fields.values()):
        raise NotModelled(f"projection {fields}")
    found: Document = {}
    for name in ("_id", *(n for n in fields if n != "_id")):
        if (value := lookup(document, name)) is not MISSING:
            _put(found, name, lambda _, it: it, value)
    return found


def ordered(documents: Iterable[Document], keys: list[tuple[str, int]]) -> list[Document]:
    result = list(documents)
    for path, direction in reversed(keys):
        result.sort(key=lambda document: lookup(document, path), reverse=direction < 0)
    return result


def seed_of(wanted: Document) -> Document:
    """The fields that an upsert takes over from its filter."""
    return {n: v for n, v in wanted.items() if not n.startswith("$") and "." not in n and not isinstance(v, dict)}
