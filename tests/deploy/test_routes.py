"""Routes are what the documents say: the READMEs of the services, and the table by which a gateway finds who answers."""

import importlib
import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from deploy.local.layout import ROOT
from deploy.local.routes import ROUTES, SERVICES, service_of

OPERATIONS = ("GET", "POST", "PUT", "PATCH", "DELETE")
OF_EVERY_SERVICE = ("/held", "/v1/audit", "/v1/audit/check")
"""Through the one base URL these are sync's and contacts'."""
OF_PROCESSES = ("/livez", "/readyz", "/metrics")


class Route(NamedTuple):
    method: str
    path: str
    """With `{}` for whatever stands in it."""


@pytest.fixture(scope="module")
def answered() -> dict[str, dict[Route, str]]:
    """What each service answers, by its own OpenAPI document, and the scope that it asks for; `none` if anybody may."""
    return {service: dict(_routes(service)) for service in SERVICES}


def _routes(service: str) -> Iterator[tuple[Route, str]]:
    document = importlib.import_module(f"services.{service}.main").create().openapi()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if path not in OF_PROCESSES and method.upper() in OPERATIONS:
                scopes = [scope for one in operation.get("security", []) for scopes in one.values() for scope in scopes]
                yield Route(method.upper(), _bare(path)), scopes[0] if scopes else "none"


def _bare(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path.partition("?")[0])


@pytest.mark.parametrize("service", SERVICES)
def test_a_readme_names_each_route_with_its_scope_and_no_other(
    service: str, answered: dict[str, dict[Route, str]]
) -> None:
    named = dict(_named((ROOT / f"services/{service}/README.md").read_text()))
    assert named.keys() - answered[service].keys() == set(), "nobody answers these"
    assert answered[service].keys() - named.keys() == set(), "the README does not name these"
    assert {route: scope for route, scope in answered[service].items() if scope not in named[route]} == {}


def _named(readme: str) -> Iterator[tuple[Route, set[str]]]:
    """Of `GET`, `POST /v1/a/{id}?b=` both methods; of `.../c` and `/c` what follows the path before."""
    for row in readme.splitlines():
        if not re.match(r"\| `(GET|POST|PUT|PATCH|DELETE)\b", row):
            continue
        cells = re.split(r"(?<!\\)\|", row)
        scopes = set(re.findall(r"[\w-]+:[\w-]+|none", cells[2]))
        methods: list[str] = []
        waiting: list[str] = []
        base = ""
        for said in re.findall(r"`([^`]+)`", cells[1]):
            method, _, path = said.partition(" ") if said.split(" ")[0] in OPERATIONS else ("", "", said)
            waiting += [method] if method else []
            if not path.startswith(("/", "...")):
                continue
            methods, waiting = waiting or methods, []
            path = _bare(path.removeprefix("...").split(" ")[0])
            base = path if path.startswith("/v1/") else base
            for one in methods:
                yield Route(one, path if path.startswith("/v1/") else base + path), scopes


def test_the_gateway_knows_who_answers_each_route_and_no_path_that_nobody_answers(
    answered: dict[str, dict[Route, str]],
) -> None:
    paths = {service: {route.path for route in routes} for service, routes in answered.items()}
    own = {
        (service, path)
        for service, some in paths.items()
        for path in some
        if not path.endswith(OF_EVERY_SERVICE) or service_of(path) == service
    }
    assert {(service, path) for service, path in own if service_of(path) != service} == set()
    begun = {"/".join(path.split("/", 3)[:3]) for _, path in own}
    assert {prefix for prefixes in ROUTES.values() for prefix in prefixes} == begun


def test_the_architecture_has_the_same_table() -> None:
    rows = re.findall(
        r"^\| (`/v1/.*`.*) \| (\w+) \| (\d+) \|$", (ROOT / "docs/ARCHITECTURE.md").read_text(), re.MULTILINE
    )
    assert {service: set(re.findall(r"`(/v1/[\w-]+)`", paths)) for paths, service, _ in rows} == {
        service: set(prefixes) for service, prefixes in ROUTES.items()
    }
