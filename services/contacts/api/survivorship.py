"""The routes of survivorship: the rules by which it is decided what holds of a field, and who has said what does."""

from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from services.contacts.api.entering import author
from services.contacts.domain.known import Candidate
from services.contacts.domain.provenance import Origin
from services.contacts.domain.ruling import NEWEST, Rule, RuledField, RuleName, Rules
from services.contacts.handlers.rulebook import Kept
from services.contacts.handlers.ruling import Ruling
from services.contacts.handlers.seeing import Seeing
from services.contacts.handlers.tracing import Tracing
from shared.contracts.fact import CustomerId
from shared.http import Page
from shared.security import TAKES_PURPOSE, Principal, require

Reader = Annotated[Principal, Depends(require("contacts:read", rows=True))]
"""Rules say nothing of any contact."""
Ruler = Annotated[Principal, Depends(require("contacts:survivorship"))]
SOURCE = "The channel, form, import or key. Null: not kept when it was said, or it follows from other data."


class RuleBody(Rule):
    """The rule of a field. `work`: contacts of before are still being judged by it."""

    field: str
    source: Annotated[str | None, Field(description="The key that it was set with.")]
    by: Annotated[str | None, Field(description="The key's name.")]
    set_at: datetime | None
    work: bool

    @classmethod
    def of(cls, field: str, kept: Kept) -> Self:
        told = {"source": kept.source or None, "by": kept.by, "set_at": kept.set_at, "work": kept.work}
        return cls(field=field, **told, **kept.rule.model_dump())


class AlsoSaid(BaseModel):
    """What a source has said of the field last, and does not hold. Null: that there is nothing."""

    source: Annotated[str | None, Field(description=SOURCE)]
    by: Annotated[str | None, Field(description="The key's name.")]
    said_at: datetime
    value: Any

    @classmethod
    def of(cls, one: Candidate) -> Self:
        return cls(source=one.teller.source or None, by=one.teller.by, said_at=one.at, value=one.value)


class OriginBody(BaseModel):
    """Who has said what holds of a field, and when. Of a field that the contact does not have: that it has none."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "field": "name",
                    "source": "/keys/2f7c1a",
                    "by": "Call centre",
                    "said_at": "2026-03-01T16:59:00Z",
                    "chosen_from": None,
                    "rule": "source-priority",
                    "also": [
                        {
                            "source": "/channels/shop",
                            "by": None,
                            "said_at": "2026-03-02T08:00:00Z",
                            "value": "A. Sample",
                        }
                    ],
                }
            ]
        }
    )

    field: Annotated[str, Field(examples=["name", "attributes.shoe-size"])]
    source: Annotated[str | None, Field(description=SOURCE)]
    by: Annotated[str | None, Field(description="The key's name.")]
    said_at: datetime
    chosen_from: Annotated[str | None, Field(description="Where it was taken from, as nobody has said it itself.")]
    rule: RuleName
    also: Annotated[list[AlsoSaid], Field(description="Empty where the newest holds: what does not is not kept.")]

    @classmethod
    def of(cls, one: Origin, rules: Rules) -> Self:
        return cls(
            field=one.field,
            source=one.teller.source or None,
            by=one.teller.by,
            said_at=one.said_at,
            chosen_from=one.chosen_from,
            rule=rules.get(one.field, NEWEST).rule,
            also=[AlsoSaid.of(other) for other in one.also],
        )


class Provenance(BaseModel):
    """Of the contact's single fields. Numbers, addresses, consents, links and roles say it themselves."""

    customer_id: str
    fields: list[OriginBody]


def router(ruling: Ruling, tracing: Tracing, seeing: Seeing) -> APIRouter:
    """The routes; to be included before those that take any word for an id."""
    routes = APIRouter(prefix="/v1/contacts", tags=["survivorship"])
    _rules(routes, ruling)

    @routes.get(
        "/{customer_id}/provenance",
        dependencies=[TAKES_PURPOSE],
        summary="Read who has said what of a contact, and when",
    )
    async def read_provenance(principal: Reader, customer_id: CustomerId, response: Response) -> Provenance:
        """Of one that was merged into another, of that other, of whom `Content-Location` says where it is."""
        view = seeing.by(principal)
        contact = await view.contact(customer_id)
        if contact.customer_id != customer_id:
            response.headers["content-location"] = f"/v1/contacts/{contact.customer_id}/provenance"
        found = await view.origins_shown("provenance", contact.customer_id, await tracing.origins(contact.customer_id))
        rules = await tracing.rules()
        return Provenance(customer_id=contact.customer_id, fields=[OriginBody.of(one, rules) for one in found])

    return routes


def _rules(routes: APIRouter, ruling: Ruling) -> None:
    @routes.get("/survivorship", summary="List the fields that have a rule of their own")
    async def list_rules(_: Reader) -> Page[RuleBody]:
        """All of them, at most 30, on one page. Of any other field the newest statement holds."""
        return Page(items=[RuleBody.of(field, kept) for field, kept in (await ruling.kept.all()).items()])

    @routes.get("/survivorship/{field}", summary="Read the rule of a field")
    async def read_rule(_: Reader, field: RuledField) -> RuleBody:
        return RuleBody.of(field, (await ruling.kept.all()).get(field, Kept()))

    @routes.put("/survivorship/{field}", summary="Set the rule of a field")
    async def set_rule(principal: Ruler, field: RuledField, rule: Rule) -> RuleBody:
        """Known everywhere within seconds; contacts of before are judged by it in the background.

        Statements that did not hold are kept from then on only, the latest of each source; before that, only what held is known.
        """
        return RuleBody.of(field, await ruling.set(field, rule, author(principal)))

    @routes.delete(
        "/survivorship/{field}",
        status_code=202,
        response_class=Response,
        summary="Let the newest statement hold again",
    )
    async def drop_rule(principal: Ruler, field: RuledField) -> Response:
        """Of contacts of before too, soon. What did not hold by the rule, and is not the newest, is forgotten."""
        await ruling.set(field, NEWEST, author(principal))
        return Response(status_code=202)
