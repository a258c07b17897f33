"""What the errors of scoring are to a client: the one place where they become a status."""

from collections.abc import Callable
from typing import Any

from fastapi import Request

from services.scoring.handlers.looking import NotReady
from services.scoring.handlers.restricting import Restricted
from shared.http import Problem
from shared.leases import UnderWay

PROBLEMS: dict[type[Exception], Callable[[Request, Any], Problem]] = {
    UnderWay: lambda _, error: Problem(
        409, detail=f"{error.what} is under way, here or on another instance.", headers={"retry-after": "10"}
    ),
    Restricted: lambda *_: Problem(409, "Restricted", "What is known of this customer is kept and must not be used."),
    NotReady: lambda _, error: Problem(409, detail=error.why),
}
