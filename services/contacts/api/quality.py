"""The routes of quality: what may be wrong with one contact's data, and with those of all."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from services.contacts.domain.quality import WORDS, Quality
from services.contacts.domain.quality.values import Judged
from services.contacts.handlers import NoSuchContact
from services.contacts.handlers.measuring import Measuring
from services.contacts.handlers.seeing import Seeing
from shared.contracts.channels import NameParts
from shared.contracts.fact import CustomerId
from shared.http import Problem
from shared.security import TAKES_PURPOSE, Principal, require

Reader = Annotated[Principal, Depends(require("contacts:read", rows=True))]
ReaderOfAll = Annotated[Principal, Depends(require("contacts:read"))]
Share = Annotated[float, Field(ge=0, le=1)]


class JudgedValue(BaseModel):
    """A value as typed and as understood. `country`: what it says of one."""

    field: str
    typed: str
    understood: str | None
    verdict: str
    reason: str
    words: Annotated[str, Field(description="The reason, to be read after the value.")]
    country: str | None
    suggestion: str | None
    name_parts: NameParts | None
    source: str | None
    said_at: datetime | None


class FindingBody(BaseModel):
    """What keeps the score below 100."""

    dimension: str
    field: str
    reason: str
    words: str


FINDING: dict[str, Any] = {
    "dimension": "validity",
    "field": "email",
    "reason": "looks-mistyped",
    "words": WORDS["looks-mistyped"],
}


class ContactQuality(BaseModel):
    """The quality of one contact's data, 0 to 100, from the shares of the dimensions that could be judged."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"score": 81, "shares": {"validity": 0.6}, "findings": [FINDING], "values": []}]
        }
    )

    score: Annotated[int, Field(ge=0, le=100)]
    shares: dict[str, Share]
    findings: list[FindingBody]
    values: list[JudgedValue]


class Party(BaseModel):
    """Contacts of one kind."""

    party: str
    contacts: int
    mean: float


class Dimension(BaseModel):
    """`contacts`: those in which it could be judged; `mean`: of their shares, 0 to 1."""

    dimension: str
    weight: float
    contacts: int
    mean: Share


class ValueCount(BaseModel):
    """How many values of a field got a verdict, for a reason."""

    field: str
    verdict: str
    reason: str
    words: str
    count: int


class FindingCount(FindingBody):
    """How many contacts have it."""

    contacts: int


class BaseQuality(BaseModel):
    """The quality of all contacts' data, measured every so often."""

    as_of: datetime
    contacts: int
    mean: Annotated[float | None, Field(description="Of the scores, 0 to 100. Null: there is nobody.")]
    bands: Annotated[dict[str, int], Field(description="Contacts by score, in tens: `90` holds 90 to 100.")]
    parties: list[Party]
    dimensions: list[Dimension]
    values: list[ValueCount]
    findings: Annotated[list[FindingCount], Field(description="The most frequent first.")]


def router(measuring: Measuring, seeing: Seeing) -> APIRouter:
    """The routes; to be included before those that take any word for an id."""
    routes = APIRouter(prefix="/v1/contacts", tags=["quality"], dependencies=[TAKES_PURPOSE])

    @routes.get("/quality", summary="How good the data of all contacts are")
    async def read_quality_of_all(_: ReaderOfAll) -> BaseQuality:
        report = await measuring.report()
        if report is None:
            raise Problem(
                404, detail="There is no report yet. The first is made within minutes of the service's start."
            )
        for rows in (report["values"], report["findings"]):
            rows[:] = [{**row, "words": WORDS[row["reason"]]} for row in rows]
        return BaseQuality.model_validate(report)

    @routes.get("/{customer_id}/quality", summary="How good the data of a contact are, and what would make them better")
    async def read_quality(principal: Reader, customer_id: CustomerId) -> ContactQuality:
        view = seeing.by(principal)
        contact = await view.contact(customer_id)
        found = await measuring.of(customer_id)
        if found is None:
            raise NoSuchContact(customer_id)
        return _body(found, await view.values_shown("quality", contact.customer_id, found.values))

    return routes


def _body(found: Quality, values: Sequence[Judged]) -> ContactQuality:
    """`values`: those that are to be seen."""
    return ContactQuality(
        score=found.score,
        shares={**found.shares},
        findings=[FindingBody(**_worded(one)) for one in found.findings],
        values=[JudgedValue(**_worded(one)) for one in values],
    )


def _worded(one: Any) -> dict[str, Any]:
    return {**one._asdict(), "words": one.words}
