"""What stands in the cells of a written file."""

import re
from typing import Any
from xml.sax.saxutils import escape

import orjson

Row = dict[str, Any]
"""By field: a text, or what JSON holds."""
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, and no name needs."""


def cell(value: Any) -> str:
    """What stands in one cell: lists and objects as JSON, true and false as words."""
    match value:
        case None:
            return ""
        case str():
            return value
        case [*texts] if texts and all(isinstance(one, str) for one in texts):
            return ";".join(texts)
        case _:
            return orjson.dumps(value).decode()


def nested(row: Row) -> Row:
    """`address.city` as a part of `address`, its lines as a list."""
    found: Row = {}
    for name, value in row.items():
        head, _, tail = name.partition(".")
        if not tail:
            found[name] = value
        elif head == "address" and tail.startswith("line"):
            found.setdefault(head, {}).setdefault("lines", []).append(value)
        elif isinstance(held := found.setdefault(head, {}), dict):
            held[tail] = value
        else:
            found[name] = value
    return found


def xml(text: str) -> str:
    """A carriage return as it is would be read as a line's end."""
    return escape(NOT_XML.sub("", text), {"\r": "&#13;"})
