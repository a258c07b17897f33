"""The routes of a service's audit trail: to read it, and to check its seals."""

from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from shared.audit.log import AuditLog
from shared.audit.seals import Accessed
from shared.contracts.fact import CustomerId
from shared.http import Cursor, Limit, Page, encode_moment, moment_and_place
from shared.security import TAKES_PURPOSE, Principal, require

Auditor = Annotated[Principal, Depends(require("audit:read"))]


class AuditEntry(BaseModel):
    """Who has seen or done what."""

    entry: Annotated[str, Field(description="Its chain, and its number in it.")]
    at: datetime
    key_id: str
    key: Annotated[str, Field(description="The key's name.")]
    action: str
    customers: list[str]
    fields: Annotated[list[str], Field(description="The sensitive ones among what was shown.")]
    purpose: str | None
    correlation_id: str | None
    hash: str

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        same = {name: row[name] for name in ("at", "key_id", "key", "action", "customers", "fields", "purpose", "hash")}
        return cls(entry=row["_id"], correlation_id=row["correlation"], **same)


class AuditCheck(BaseModel):
    """Whether the trail is as it was written."""

    entries: int
    intact: bool
    faults: Annotated[list[str], Field(description="Where it is not; at most 100.")]


def audit_routes(trail: AuditLog) -> APIRouter:
    routes = APIRouter(prefix="/v1/audit", tags=["audit"], dependencies=[TAKES_PURPOSE])

    @routes.get("", summary="List who has seen what, the newest first")
    async def list_audit(
        auditor: Auditor,
        customer_id: Annotated[CustomerId | None, Query(description="Only what is about this id.")] = None,
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> Page[AuditEntry]:
        """Reading it is in it too."""
        found = await trail.page(customer_id, moment_and_place(cursor), limit)
        await trail.write(Accessed("audit", auditor, [customer_id] if customer_id else []))
        last = found[-1] if len(found) == limit else None
        next_ = encode_moment(last[1]["at"], last[0]) if last else None
        return Page(items=[AuditEntry.of(row) for _, row in found], next=next_)

    @routes.get("/check", summary="Check the seals of the whole trail")
    async def check_audit(auditor: Auditor) -> AuditCheck:
        """Goes through all of it, so it takes a while."""
        await trail.write(Accessed("audit-check", auditor))
        entries, faults = await trail.faults()
        return AuditCheck(entries=entries, intact=not faults, faults=faults[:100])

    return routes
