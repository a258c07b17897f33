"""What the errors of scoring are to a client: the one place where they become a status."""

from collections.abc import Callable
from typing import Any

from fastapi import Request

from services.scoring.handlers.leasing import UnderWay
from services.scoring.handlers.looking import NotReady
from shared.http import Problem

PROBLEMS: dict[type[Exception], Callable[[Request, Any], Problem]] = {
    UnderWay: lambda _, error: Problem(
        409, detail=f"{error.what} is under way, here or on another instance.", headers={"retry-after": "10"}
    ),
    NotReady: lambda _, error: Problem(409, detail=error.why),
}
