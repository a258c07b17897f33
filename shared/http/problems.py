"""Errors as RFC 9457 problems: the exception that code raises, the body that clients read, and what maps onto it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from pymongo.errors import ConnectionFailure as MongoUnreachable
from redis.exceptions import ConnectionError as RedisUnreachable, TimeoutError as RedisSilent
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from shared import mongo

E = TypeVar("E", bound=Exception)
MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = "2"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class FieldError(BaseModel):
    """What is wrong with one field. `field` is its path: `body.lines.0.value`, `query.limit`, `header.if-match`."""

    field: str
    message: str


class ProblemDetails(BaseModel):
    """The body of every error (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = None
    errors: list[FieldError] | None = None
    correlation_id: str | None = None


class Problem(HTTPException):
    """An error that the client is to read. `errors` takes `FieldError`s or pairs of field and message."""

    def __init__(
        self,
        status: int,
        title: str | None = None,
        detail: str | None = None,
        type: str = "about:blank",  # noqa: A002 - the word of RFC 9457
        errors: Iterable[FieldError | tuple[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.title = title or HTTPStatus(status).phrase
        self.type = type
        self.errors = None if errors is None else [_field_error(error) for error in errors]
        self.explanation = detail


def _field_error(error: FieldError | tuple[str, str]) -> FieldError:
    return error if isinstance(error, FieldError) else FieldError(field=error[0], message=error[1])


def problem_response(problem: Problem) -> Response:
    details = ProblemDetails(
        type=problem.type,
        title=problem.title,
        status=problem.status_code,
        detail=problem.explanation,
        errors=problem.errors,
        correlation_id=structlog.contextvars.get_contextvars().get("correlation_id"),
    )
    body = details.model_dump_json(exclude_none=True)
    return Response(body, problem.status_code, problem.headers, media_type=MEDIA_TYPE)


def translate(error: Exception) -> Problem | None:
    """The problem that an exception stands for; None for a bug of ours."""
    match error:
        case Problem():
            return error
        case HTTPException():
            return Problem(error.status_code, detail=_said(error), headers=error.headers)
        case RequestValidationError():
            return Problem(422, "Invalid request", errors=[_validation_error(e) for e in error.errors()])
        case MongoUnreachable() | RedisUnreachable() | RedisSilent():
            return unavailable()
        case _ if mongo.transient(error):
            return unavailable()
        case _:
            return None


def unavailable() -> Problem:
    return Problem(
        503, detail="A part this service needs is away. Try again.", headers={"retry-after": RETRY_AFTER_SECONDS}
    )


def _said(error: HTTPException) -> str | None:
    """Starlette repeats the status as the detail; a detail says something or is absent."""
    return None if error.detail == HTTPStatus(error.status_code).phrase else error.detail


def _validation_error(error: Mapping[str, Any]) -> FieldError:
    if error["type"] == "json_invalid":
        return FieldError(field="body", message=f"not JSON: {error['ctx']['error']} at character {error['loc'][-1]}")
    return FieldError(field=".".join(map(str, error["loc"])), message=error["msg"])


def answer_problems(app: FastAPI) -> None:
    """Let the app answer the errors that every service has. Unknown ones pass on to the outermost middleware."""
    for kind in (HTTPException, RequestValidationError, MongoUnreachable, RedisUnreachable, RedisSilent):
        app.add_exception_handler(kind, _handler(_answer))


def _answer(request: Request, error: Exception) -> Problem:
    problem = translate(error) or Problem(500)
    if isinstance(error, RequestValidationError) and _wrong_method(request, error):
        problem = Problem(HTTPStatus.METHOD_NOT_ALLOWED)
    if problem.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        problem.headers = {"allow": ", ".join(_methods(request))}
    return problem


def _wrong_method(request: Request, error: RequestValidationError) -> bool:
    """Whether a route with an id in its path was given a path that is another's to the letter, in a method which that one lacks."""
    return any(one["loc"][0] == "path" for one in error.errors()) and bool(_to_the_letter(request))


def _to_the_letter(request: Request) -> list[str]:
    """The methods of a path without an id in it, by the document: routes that are included cannot be asked for their paths."""
    paths = request.app.openapi()["paths"]
    return [method for method in METHODS if method.lower() in paths.get(request.url.path, ())]


def _methods(request: Request) -> list[str]:
    """All that the path takes; Starlette names those of the first route that matches it, and every method has its own."""
    routes = request.app.routes
    return _to_the_letter(request) or [
        m for m in METHODS if any(r.matches({**request.scope, "method": m})[0] is Match.FULL for r in routes)
    ]


def add_problems(app: FastAPI, problems: Mapping[type[E], Callable[[Request, E], Problem]]) -> None:
    """Say which problem each of a service's own errors is to its clients."""
    for kind, problem in problems.items():
        app.add_exception_handler(kind, _handler(problem))


def _handler(problem: Callable[[Request, Any], Problem]) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, error: Exception) -> Response:
        return problem_response(problem(request, error))

    return answer
