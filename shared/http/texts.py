"""The gate of every text that comes over HTTP into a body model or, with what it changes, in a query."""

import re

from fastapi import Depends
from starlette.requests import Request

from shared.contracts.texts import WHY, control_in_json
from shared.http.problems import METHODS, Problem

_IN_QUERY = re.compile(rb"%(?:0[0-8bcef]|1[0-9a-f]|7f)", re.IGNORECASE)
CHANGES = frozenset(METHODS) - {"GET"}


async def no_control_characters(request: Request) -> None:
    """Raises Problem. A body without a model is the route's own business: it may be a file, and is not read here."""
    if request.method in CHANGES and _IN_QUERY.search(request.scope["query_string"]):
        raise Problem(422, errors=[("query", WHY)])
    if getattr(request.scope.get("route"), "body_field", None) is None:
        return
    # Read already, by FastAPI, and found to be JSON where it says so; else its model will not take it.
    try:
        place = control_in_json(await request.body())
    except ValueError:
        return
    if place is not None:
        raise Problem(422, errors=[(f"body.{place}" if place else "body", WHY)])


CLEAN = Depends(no_control_characters)
"""For an application: it goes with every route."""
