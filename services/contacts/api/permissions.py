"""The route that answers a campaign's or a channel's question: may we?"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from services.contacts.domain.identities import normalised
from services.contacts.domain.permission import Permission, Question, Why
from services.contacts.handlers.permitting import Permitting
from services.contacts.handlers.seeing import Seeing, View
from shared.contracts.channels import LawfulBasis
from shared.contracts.fact import Code, CustomerId, Identifier
from shared.contracts.sensitive import SEE_SENSITIVE
from shared.http import Problem
from shared.security import TAKES_PURPOSE, Principal, require

SCOPE = "contacts:permissions"
"""Enough to ask, and to learn nothing else of a customer. Whoever may read contacts could work it out anyway."""
MAX_CUSTOMERS = 10_000
IN_ONE_ENTRY = 1000
"""Customers whom one entry of the audit trail names."""
Asker = Annotated[Principal, Depends(require(SCOPE, "contacts:read", rows=True))]
ONE: TypeAdapter[str] = TypeAdapter(CustomerId)
ANN = "019b7a2c-5c00-7d3e-a1b2-0c9d8e7f6a5b"
Named = Annotated[str, Field(min_length=1, max_length=330)]


class Asked(BaseModel):
    """For whom, what for, and on which channel."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"purpose": "newsletter", "channel": "email", "customers": [ANN, "loyalty-card:4711"]}]
        },
    )

    purpose: Code
    channel: Code
    basis: Annotated[
        LawfulBasis,
        Field(
            description="`consent`: only who has granted it. `legitimate-interest`, `public-task`: who has not denied or withdrawn it. Others: whatever was answered."
        ),
    ] = "consent"
    customers: Annotated[
        list[Named], Field(min_length=1, max_length=MAX_CUSTOMERS, description="Each an id, or `scheme:value`.")
    ]


class PermissionBody(BaseModel):
    """Whether we may approach one customer, and why."""

    asked: Annotated[str, Field(description="As in the question.")]
    allowed: bool
    reason: Why
    until: Annotated[datetime | None, Field(description="When time alone may change the answer. Null: never.")]
    customer_id: Annotated[str | None, Field(description="Who answers for them now, after merges. Null: nobody.")]


class Permissions(BaseModel):
    """In the order of the question."""

    items: list[PermissionBody]


def router(permitting: Permitting, seeing: Seeing) -> APIRouter:
    """The route."""
    routes = APIRouter(prefix="/v1/permissions", tags=["consents"], dependencies=[TAKES_PURPOSE])

    @routes.post("", response_model=Permissions, summary="Ask whether customers may be approached")
    async def ask_permissions(principal: Asker, asked: Asked) -> Response:
        """Of up to 10,000 customers at once. Do not contact, restriction and erasure go before any consent.

        Whoever is unknown, or not to be seen with the key, is `unknown`. It registers nobody.
        """
        view = seeing.by(principal)
        names = _identifiers(asked.customers, view)
        ids = [one for one in asked.customers if one not in names]
        question = Question(asked.purpose, asked.channel, asked.basis)
        found, named = await permitting.ask(question, ids, list(set(names.values())), view.rows)
        answers = [named[names[one]] if one in names else found[one] for one in asked.customers]
        await _noted(view, answers)
        items = [_item(one, answer) for one, answer in zip(asked.customers, answers, strict=True)]
        # Ten thousand models would take longer to make than the answer to find.
        return Response(orjson.dumps({"items": items}), media_type="application/json")

    return routes


def _identifiers(asked: Sequence[str], view: View) -> dict[str, str]:
    """Those that are no ids, and the identifier that each is. Raises Problem: unreadable, or not for this key."""
    return {one: _identifier(index, one, view) for index, one in enumerate(asked) if not _is_id(one)}


def _is_id(text: str) -> bool:
    try:
        ONE.validate_python(text)
    except ValidationError:
        return False
    return True


def _identifier(index: int, text: str, view: View) -> str:
    scheme, _, value = text.partition(":")
    field = f"body.customers.{index}"
    try:
        found = Identifier(scheme=scheme, value=value)
    except ValidationError:
        raise Problem(422, errors=[(field, "is neither an id nor `scheme:value`")]) from None
    if not view.may_ask(scheme):
        error = (field, f"`{scheme}` is sensitive: the key lacks the scope `{SEE_SENSITIVE}`")
        raise Problem(403, "Sensitive identifier", errors=[error])
    return str(normalised(found))


def _item(asked: str, answer: Permission) -> dict[str, Any]:
    return {
        "asked": asked,
        "allowed": answer.allowed,
        "reason": answer.reason,
        "until": answer.until,
        "customer_id": answer.customer_id,
    }


async def _noted(view: View, answers: Sequence[Permission]) -> None:
    """Whoever sees some contacts only and asks for many is in the audit trail with whom they were answered."""
    if not view.principal.limited:
        return
    seen = sorted({one.customer_id for one in answers if one.customer_id})
    for start in range(0, len(seen), IN_ONE_ENTRY):
        await view.note("permissions", seen[start : start + IN_ONE_ENTRY])
