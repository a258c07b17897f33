"""Which problem each of this service's own errors is to its clients, and what its parts are called."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import Request

from services.interactions.handlers.dead_letters import AlreadyReplayed
from shared.http import Problem
from shared.messaging import Unavailable

TAGS = [
    {"name": "events", "description": "Where channel systems report what happened."},
    {"name": "history", "description": "Interactions and orders, as they were recorded."},
    {"name": "dead letters", "description": "Events that no service could take, and sending them back."},
]


def _unavailable(_request: Request, _error: Unavailable) -> Problem:
    detail = "The broker did not acknowledge. Send the same events again; what did arrive takes effect once."
    return Problem(503, detail=detail, headers={"retry-after": "2"})


def _already_replayed(_request: Request, _error: AlreadyReplayed) -> Problem:
    return Problem(409, detail="It has been replayed. If it was refused again, that is a dead letter of its own.")


PROBLEMS: Mapping[type[Any], Callable[[Request, Any], Problem]] = {
    Unavailable: _unavailable,
    AlreadyReplayed: _already_replayed,
}
