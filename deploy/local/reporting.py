"""Gathers from the API what the scoring report is drawn from."""

from __future__ import annotations

import http
from typing import Any

from deploy.local.api import Api, Refused

LOOKS = ("/v1/wishes/study", "/v1/profits/base", "/v1/models/choice", "/v1/reviews", "/v1/models/challengers")
LOOK_SECONDS = 1_800.0
"""A look goes through the whole base."""


def look(to: Api) -> None:
    """Through the whole base, now. Without a model there is nothing to look back at, which is no fault."""
    for path in LOOKS:
        try:
            to.post(path, seconds=LOOK_SECONDS)
        except Refused as refused:
            if refused.status != http.HTTPStatus.CONFLICT:
                raise


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
