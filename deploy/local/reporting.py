"""Gathers from the API what the scoring report is drawn from."""

from __future__ import annotations

import http
import time
from typing import Any

from deploy.local.api import Api, Refused

LOOKS = ("/v1/wishes/study", "/v1/profits/base", "/v1/models/choice", "/v1/reviews", "/v1/models/challengers")
LOOK_SECONDS = 1_800.0
"""A look goes through the whole base."""
POLL_SECONDS = 0.5


def look(to: Api) -> None:
    """Through the whole base, now, one after the other. Raises Refused where one does not end in time."""
    for path in LOOKS:
        try:
            run = to.post(path)
        except Refused as refused:
            # Somebody else looks already; or without a model there is nothing to look back at, which is no fault.
            if refused.status != http.HTTPStatus.CONFLICT:
                raise
        else:
            _wait(to, run["name"])


def _wait(to: Api, name: str) -> None:
    until = time.monotonic() + LOOK_SECONDS
    while (state := to.get(f"/v1/looks/{name}")["state"]) == "running":
        if time.monotonic() > until:
            raise Refused(f"the look {name} has not ended within {LOOK_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)
    if state in {"failed", "stopped", "abandoned"}:
        raise Refused(f"the look {name} has {state}; the log of scoring says why")


def gather(to: Api) -> dict[str, Any]:
    """The fields of `services.scoring.report.Facts`."""
    models, reviews = (to.get(path, limit=1)["items"] for path in ("/v1/models", "/v1/reviews"))
    return {
        "summary": to.get("/v1/scores/summary"),
        "model": models[0] if models else None,
        "review": reviews[0] if reviews else None,
        "base": _if_any(to, "/v1/profits/base"),
        "study": _if_any(to, "/v1/wishes/study"),
        "choice": _if_any(to, "/v1/models/choice"),
        "contest": _if_any(to, "/v1/models/challengers"),
    }


def _if_any(to: Api, path: str) -> Any:
    try:
        return to.get(path)
    except Refused as refused:
        if refused.status == http.HTTPStatus.NOT_FOUND:
            return None
        raise
