"""What no text from outside may hold: control characters, which nobody types and which no XML and few databases take.

It is asked at each gate and not by the types of the contracts: what was kept or told before must be read for ever.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""All of ASCII but tab, newline and carriage return. Those of Latin-1 (U+0080 to U+009F) may be in a text: they are what an
apostrophe or a dash of Windows-1252 becomes in careless hands, so that the rest of the name is somebody's, and takes no more room.
"""
WHY = "has a control character in it that no text may have"
# An escaped form may also be a backslash and letters, which is found out by reading what it stands in.
_IN_JSON = re.compile(rb"\\(?:u00[01]|u007[fF]|[bf])|\x7f")


def has_control(text: str) -> bool:
    return CONTROL.search(text) is not None


def may_have_control(data: bytes) -> bool:
    """Whether JSON may hold such a character. Nearly all JSON does not, and this is all that it pays."""
    return _IN_JSON.search(data) is not None


def control_in_json(data: bytes) -> str | None:
    """The place of the first text with such a character, `lines.0.city`, in JSON that can be read; None: nowhere."""
    return place_of_control(json.loads(data)) if may_have_control(data) else None


def control_in(model: BaseModel) -> str | None:
    """The same of what a model has taken of its input."""
    if not may_have_control(model.__pydantic_serializer__.to_json(model)):
        return None
    return place_of_control(model.model_dump())


def place_of_control(value: Any) -> str | None:
    """The same of anything that JSON can say; of a name that has one, where the object is that has it."""
    left: list[tuple[str, Any]] = [("", value)]
    while left:
        place, one = left.pop()
        if isinstance(one, str):
            if has_control(one):
                return place
        elif isinstance(one, Mapping):
            if any(has_control(str(name)) for name in one):
                return place
            left += [(f"{place}.{name}" if place else str(name), held) for name, held in reversed([*one.items()])]
        elif isinstance(one, list | tuple):
            left += [(f"{place}.{index}" if place else str(index), one[index]) for index in reversed(range(len(one)))]
    return None
