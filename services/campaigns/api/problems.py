"""What the errors of campaigns are to a client: the one place where they become a status."""

from collections.abc import Callable
from typing import Any

from fastapi import Request

from services.campaigns.domain.campaign import WrongState
from services.campaigns.handlers.errors import AlreadyThere, TakesTooLong, UnknownCampaign, UnknownSegment
from shared.http import Problem


def _conflict(_: Request, error: Exception) -> Problem:
    return Problem(409, "Conflict", sentence(error))


def _unknown(_: Request, error: Exception) -> Problem:
    return Problem(404, detail=sentence(error))


def _too_slow(_: Request, error: Exception) -> Problem:
    return Problem(503, detail=sentence(error), headers={"retry-after": "30"})


def sentence(error: Exception) -> str:
    said = str(error)
    return said[:1].upper() + said[1:] + "."


PROBLEMS: dict[type[Exception], Callable[[Request, Any], Problem]] = {
    UnknownCampaign: _unknown,
    UnknownSegment: _unknown,
    AlreadyThere: _conflict,
    TakesTooLong: _too_slow,
    WrongState: _conflict,
}
