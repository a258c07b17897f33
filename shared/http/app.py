"""The FastAPI application around a service's routers: the same errors, probes, headers and documents everywhere."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import prometheus_client
from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.routing import APIRoute
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from shared.http.middleware import BodyLimit, Correlation, LastResort
from shared.http.problems import MEDIA_TYPE, FieldError, Problem, ProblemDetails, add_problems, answer_problems
from shared.http.texts import CLEAN

if TYPE_CHECKING:  # security raises problems, so at run time it needs this package first
    from shared.security import KeyTable

E = TypeVar("E", bound=Exception)
MAX_BODY_BYTES = 16 * 1_048_576


class Health(Protocol):
    """What the probes ask. `live` is false if only a restart helps; `ready` is false while traffic should stay away."""

    async def live(self) -> tuple[bool, dict[str, Any]]: ...

    async def ready(self) -> tuple[bool, dict[str, Any]]: ...


def create_app(
    *,
    title: str,
    description: str,
    version: str,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None,
    routers: Iterable[APIRouter],
    keys: "KeyTable | None",
    health: Health,
    problems: Mapping[type[E], Callable[[Request, E], Problem]] | None = None,
    tags: list[dict[str, Any]] | None = None,
    max_body_bytes: int = MAX_BODY_BYTES,
    larger_bodies: Mapping[str, int] | None = None,
) -> FastAPI:
    """The application of one service. Without `keys` every guarded route answers 401.

    `problems` says which problem each of the service's own errors is to its clients; `larger_bodies` are the limits, in
    bytes, of paths whose routes read what they are sent piece by piece.
    """
    app = FastAPI(
        title=title,
        description=description,
        version=version,
        lifespan=lifespan,
        openapi_tags=[*(tags or []), {"name": "operations", "description": "Probes and metrics."}],
        redirect_slashes=False,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
        dependencies=[CLEAN],
        responses={"4XX": _problem_schema("The request was refused."), "5XX": _problem_schema("The service failed.")},
        middleware=[
            Middleware(Correlation),
            Middleware(LastResort),
            Middleware(BodyLimit, max_bytes=max_body_bytes, larger=larger_bodies),
        ],
    )
    app.state.keys = keys
    app.state.health = health
    answer_problems(app)
    add_problems(app, problems or {})
    for router in routers:
        app.include_router(router)
    app.include_router(_operations(health))
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name


def _operations(health: Health) -> APIRouter:
    router = APIRouter(tags=["operations"])

    @router.get("/livez", summary="Is the process alive?")
    async def livez() -> JSONResponse:
        ok, report = await health.live()
        return JSONResponse(report, 200 if ok else 503)

    @router.get("/readyz", summary="Can the service take traffic?")
    async def readyz() -> JSONResponse:
        ok, report = await health.ready()
        return JSONResponse(report, 200 if ok else 503)

    @router.get("/metrics", summary="Prometheus metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        return Response(prometheus_client.generate_latest(), media_type=prometheus_client.CONTENT_TYPE_LATEST)

    return router


def _problem_schema(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
    }


def _errors_are_problems(document: dict[str, Any]) -> None:
    """A route that names a model of its own for an error would otherwise be said to send it as plain JSON."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                content = response.get("content", {})
                if status[0] in "45" and "application/json" in content:
                    content[MEDIA_TYPE] = content.pop("application/json")


def _openapi(app: FastAPI) -> dict[str, Any]:
    """The generated document plus the problem's schema, which no route names as its model."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            tags=app.openapi_tags,
        )
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas["ProblemDetails"] = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas["ProblemDetails"].pop("$defs", None)
        schemas["FieldError"] = FieldError.model_json_schema()
        _errors_are_problems(document)
        app.openapi_schema = document
    return app.openapi_schema
