"""Every operation of every OpenAPI document: schemathesis with the admin's key, ours with no key and the wrong ones.

Schemathesis runs in an environment of its own (`requirements/fuzz.txt`); what it finds is read from its report.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from deploy.local.api import Api
from deploy.local.layout import ROOT
from deploy.local.routes import SERVICES
from tests.fuzz.running import Stage
from tests.waiting import until

PROGRAM = ROOT / "var/fuzz/venv/bin/schemathesis"
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
AT_ONCE = 2
PROBLEM = "application/problem+json"
EXAMPLES = 100
PATIENCE_SECONDS = 120
HEARD_SECONDS = 30.0
NO_KEY, WRONG_KEY = "", "rk_wrong_" + "w" * 43


@dataclass
class Result:
    """What was asked of one service with one key."""

    service: str
    key: str
    requests: int = 0
    operations: int = 0
    faults: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        return {
            "service": self.service, "key": self.key, "operations": self.operations, "requests": self.requests,
            "faults": len(self.faults),
        }  # fmt: skip


def fuzz(stage: Stage, seconds: int, seed: int, folder: Path, say: Callable[[str], None]) -> list[Result]:
    """All services. What may be done with a key is settled first, because schemathesis leaves traces."""
    key = powerless(stage)
    keys = {"none": NO_KEY, "wrong": WRONG_KEY, "powerless": key}
    results = [guarded(stage, service, name, one) for service in SERVICES for name, one in keys.items()]
    say(f"{sum(r.requests for r in results)} requests without the right key; now schemathesis, {seconds} s a service")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        results += pool.map(lambda service: schemathesis(stage, service, seconds, seed, folder), SERVICES)
    return results


def powerless(stage: Stage) -> str:
    """A new key that may do nothing, and that every service has heard of."""
    key: str = Api(stage.base_url, stage.key).post(
        "/v1/keys", {"name": "fuzz", "kind": "service", "scopes": ["no-such:scope"]}
    )["key"]
    for path in ("/v1/contacts", "/v1/orders", "/v1/campaigns", "/v1/scores", "/v1/customers"):
        until(partial(_forbidden, stage.base_url, path, key), f"the new key at {path}", HEARD_SECONDS)
    return key


def _forbidden(url: str, path: str, key: str) -> bool:
    return _ask(url, "GET", path, key)[0] == HTTPStatus.FORBIDDEN


def deaf(stage: Stage) -> list[str]:
    """A service that does not hear of new keys any more."""
    try:
        powerless(stage)
    except AssertionError as error:
        return [str(error)]
    return []


def guarded(stage: Stage, service: str, name: str, key: str) -> Result:
    """Every operation that asks for a scope refuses a caller without it; of a body that is no JSON it may say that first."""
    result = Result(service, name)
    url = stage.url(service)
    document = json.loads(_ask(url, "GET", "/openapi.json", stage.key)[2])
    refused = HTTPStatus.FORBIDDEN if name == "powerless" else HTTPStatus.UNAUTHORIZED
    for method, path, operation in _operations(document):
        if not operation.get("security"):
            continue
        result.operations += 1
        for body, due in (
            (None, {refused}),
            (b"{}", {refused}),
            (b"\xff", {refused, 400}),
            (b"[" * 3000, {refused, 400}),
        ):
            result.requests += 1
            status, media, _ = _ask(url, method, path.replace("{", "").replace("}", ""), key, body)
            if status not in due or media != PROBLEM:
                result.faults.append(f"{service}: {method} {path} with {name} key: {status} {media}, {body!r:.20}")
    return result


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield method.upper(), path, operation


def _ask(url: str, method: str, path: str, key: str, body: bytes | None = None) -> tuple[int, str, bytes]:
    connection = HTTPConnection(url.removeprefix("http://"), timeout=30)
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers.get_content_type(), answer.read()
    finally:
        connection.close()


def schemathesis(stage: Stage, service: str, seconds: int, seed: int, folder: Path) -> Result:
    """Positive, negative and stateful cases; a fault for each failure that it does not take back."""
    report, text = folder / f"{service}.json", folder / f"{service}.txt"
    report.unlink(missing_ok=True)
    command = [
        *(
            str(PROGRAM),
            "--config-file",
            str(CONFIGURATION),
            "run",
            f"{stage.url(service)}/openapi.json",
            "--seed",
            str(seed),
        ),
        *("--max-examples", str(EXAMPLES), "--max-time", str(seconds), "--request-timeout", "20"),
        *("--header", f"Authorization: Bearer {stage.key}", "--suppress-health-check", "all", "--no-color"),
        *("--report", "json", "--report-json-path", str(report), "--generation-database", "none"),
    ]
    environment = {**os.environ, "PYTHONPATH": ""}
    with text.open("wb") as out, suppress(subprocess.TimeoutExpired):
        subprocess.run(
            command,
            stdout=out,
            stderr=out,
            env=environment,
            cwd=folder,
            check=False,
            timeout=seconds + PATIENCE_SECONDS,
        )
    result = Result(service, "admin")
    if not report.exists() or not report.stat().st_size:
        result.faults.append(f"{service}: schemathesis made no report; see {text}")
        return result
    told = json.loads(report.read_text())
    result.requests, result.operations = told["test_cases"]["generated"], told["operations"]["tested"]
    result.faults += [f"{service}: {_failure(failure)}; see {text}" for failure in told["failures"]]
    result.faults += [f"{service}: schemathesis could not: {error}" for error in told["errors"]]
    if result.operations < told["operations"]["total"]:
        result.faults.append(
            f"{service}: only {result.operations} of {told['operations']['total']} operations were tested"
        )
    return result


def _failure(failure: dict[str, Any]) -> str:
    return f"{failure['title']}, {failure['count']} times: {failure['operations']}"
