"""What the errors of scoring are to a client: the one place where they become a status."""

from collections.abc import Callable
from typing import Any

from fastapi import Request

from services.scoring.handlers.models import UnderWay
from shared.http import Problem

PROBLEMS: dict[type[Exception], Callable[[Request, Any], Problem]] = {
    UnderWay: lambda _, __: Problem(
        409, detail="A refit or a look is under way, here or on another instance.", headers={"retry-after": "10"}
    ),
}
