"""What the errors of sync are to a client: the one place where they become a status."""

from collections.abc import Callable
from typing import Any

from fastapi import Request

from services.sync.domain.addresses import ForbiddenUrl
from services.sync.domain.channel import NotPossible
from services.sync.domain.positions import BadEventId
from services.sync.handlers.channels import ChannelExists, ChannelNotFound, CustomerNotFound
from services.sync.handlers.erasing import NoSuchOwed, NotAcknowledgeable
from services.sync.handlers.keys import KeyNotFound, ScopeNotHeld, ScopeNotLimited
from shared.http import Problem

PROBLEMS: dict[type[Exception], Callable[[Request, Any], Problem]] = {
    ChannelExists: lambda _, error: Problem(
        409, "Channel exists", errors=[("body.channel_id", f"there is a channel {error} already")]
    ),
    ChannelNotFound: lambda _, error: Problem(404, detail=f"There is no channel {error}."),
    CustomerNotFound: lambda _, error: Problem(404, detail=f"There is no customer {error}."),
    KeyNotFound: lambda _, error: Problem(404, detail=f"There is no key {error}."),
    NoSuchOwed: lambda _, error: Problem(404, detail=f"There is no {error}."),
    NotAcknowledgeable: lambda _, error: Problem(409, "Not acknowledged", str(error)),
    NotPossible: lambda _, error: Problem(409, "Not possible", str(error)),
    ForbiddenUrl: lambda _, error: Problem(422, "Invalid request", errors=[("body.url", str(error))]),
    BadEventId: lambda _, error: Problem(400, "Invalid event id", errors=[("header.last-event-id", str(error))]),
    ScopeNotHeld: lambda _, error: Problem(403, "Scope not held", errors=[(f"body.scopes.{error.index}", str(error))]),
    ScopeNotLimited: lambda _, error: Problem(
        422, "Scope not limited", errors=[(f"body.scopes.{error.index}", str(error))]
    ),
}
