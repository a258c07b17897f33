"""Segments over HTTP: ask whom a rule describes, save it under a name, list what can be asked."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from services.campaigns.api.discretion import Discretion
from services.campaigns.domain.conditions import CONDITIONS, Node
from services.campaigns.domain.fields import FAMILIES, FIELDS
from services.campaigns.domain.rules import Rule, written
from services.campaigns.domain.segment import Segment
from services.campaigns.handlers.segments import Segmenting
from shared.http import Cursor, Limit, Page, encode_cursor, text_of
from shared.idempotency import TAKES_KEY, Answer, idempotent
from shared.messaging import Messaging, Unit
from shared.security import TAKES_PURPOSE, Principal, require

Reader = Depends(require("campaigns:read"))
Writing = Depends(require("campaigns:write"))
Writer = Annotated[Principal, Writing]
Asker = Annotated[Principal, Reader]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]

EXAMPLE: JsonValue = {
    "all": [
        {"field": "score.segment", "is": "valuable-slipping"},
        {"field": "sales.last_order_at", "days_ago_at_least": 30},
        {"not": {"field": "consent.marketing", "in": ["denied", "withdrawn"]}},
    ]
}


class Asked(BaseModel):
    """A rule: `all`, `any` or `not` around conditions of a field and one operator."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"rule": EXAMPLE}]})

    rule: Rule


class NewSegment(Asked):
    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Slipping away", "rule": EXAMPLE}]})

    segment_id: Id | None = None
    """Given by us if absent."""
    name: Annotated[str, Field(min_length=1, max_length=200)]


class SegmentView(BaseModel):
    segment_id: str
    name: str
    rule: dict[str, Any]
    created_at: datetime


class PreviewView(BaseModel):
    """How many customers a rule describes at this moment, and some of them."""

    customers: int
    sample: list[str]


class FieldView(BaseModel):
    """A field that can be asked for; `<...>` stands for a code of your own."""

    field: str
    kind: str
    about: str
    operators: list[str]
    words: list[str]
    """The only values there are; empty where any will do."""


def view(segment: Segment) -> SegmentView:
    return SegmentView.model_validate(segment, from_attributes=True)


def fields() -> list[FieldView]:
    return [
        FieldView(
            field=field.name,
            kind=field.kind,
            about=field.about,
            operators=list(CONDITIONS[field.kind].OPERATORS),
            words=list(field.words),
        )
        for field in (*FIELDS.values(), *FAMILIES)
    ]


def segment_routes(segmenting: Segmenting, messaging: Messaging, discretion: Discretion) -> APIRouter:
    router = APIRouter(prefix="/v1/segments", tags=["segments"], dependencies=[TAKES_PURPOSE])

    @router.post("", status_code=201, response_model=SegmentView, dependencies=[TAKES_KEY])
    async def save_segment(request: Request, principal: Writer, new: NewSegment) -> Response:
        """Save a rule under a name. It is never changed afterwards; save another one instead."""
        rule: Node = new.rule
        discretion.check(principal, written(rule), "body.rule")

        async def save(unit: Unit) -> Answer:
            segment = await segmenting.save(unit.session, new.segment_id, new.name, rule)
            return Answer(201, view(segment), {"location": f"/v1/segments/{segment.segment_id}"})

        return await idempotent(request, principal, messaging, save)

    @router.get("", dependencies=[Reader])
    async def list_segments(cursor: Cursor = None, limit: Limit = 100) -> Page[SegmentView]:
        """All saved segments, by id."""
        found = await segmenting.page(text_of(cursor, "after"), limit + 1)
        last = found[:limit][-1].segment_id if len(found) > limit else None
        return Page(items=[view(one) for one in found[:limit]], next=last and encode_cursor({"after": last}))

    @router.post("/preview")
    async def preview_segment(principal: Asker, asked: Asked) -> PreviewView:
        """Whom does the rule describe at this moment? Of what is sensitive only keys with `contacts:sensitive` may ask."""
        rule = written(asked.rule)
        discretion.check(principal, rule, "body.rule")
        preview = await segmenting.preview(asked.rule)
        await discretion.note("segment", principal, rule, preview.sample)
        return PreviewView(customers=preview.customers, sample=preview.sample)

    @router.get("/fields", dependencies=[Reader])
    async def list_fields() -> list[FieldView]:
        """Everything that a rule can ask for."""
        return fields()

    @router.get("/{segment_id}", dependencies=[Reader])
    async def get_segment(segment_id: str) -> SegmentView:
        return view(await segmenting.get(segment_id))

    return router
