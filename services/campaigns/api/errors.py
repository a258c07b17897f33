"""Which HTTP status each error of the handlers is: the one place that says so."""

from fastapi import FastAPI, Request, Response

from services.campaigns.domain.campaign import WrongState
from services.campaigns.handlers.errors import AlreadyThere, UnknownCampaign, UnknownSegment
from shared.http import Problem
from shared.http.problems import problem_response

STATUS: dict[type[Exception], int] = {
    UnknownCampaign: 404,
    UnknownSegment: 404,
    AlreadyThere: 409,
    WrongState: 409,
}


def explain(app: FastAPI) -> None:
    """Let the app answer the handlers' errors as problems."""
    for error in STATUS:
        app.add_exception_handler(error, answer)


async def answer(_: Request, error: Exception) -> Response:
    said = str(error)
    return problem_response(Problem(STATUS[type(error)], detail=said[:1].upper() + said[1:] + "."))
