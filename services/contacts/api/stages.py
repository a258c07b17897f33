"""The routes of the life cycle and of roles: how far somebody has come, since when and why, and what else they are."""

from datetime import datetime
from itertools import zip_longest
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.contacts.api.entering import author
from services.contacts.domain.lifecycle import Step
from services.contacts.domain.roles import standing
from services.contacts.handlers.seeing import Seeing
from services.contacts.handlers.staging import NewStage, Staging
from shared.contracts.fact import Code, CustomerId
from shared.contracts.parties import StageName
from shared.idempotency import TAKES_KEY, Answer, idempotent
from shared.messaging import Messaging, Unit
from shared.security import Principal, require

Reader = Annotated[Principal, Depends(require("contacts:read", rows=True))]
Writer = Annotated[Principal, Depends(require("contacts:write", rows=True))]


class StageDecision(BaseModel):
    """How far somebody has come, as a person decides, and why. Any but `disqualified` takes a disqualification back."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"stage": "disqualified", "reason": "no-budget"}]}
    )

    stage: NewStage
    reason: Code


class StepBody(BaseModel):
    """A stage that was reached."""

    model_config = ConfigDict(from_attributes=True)

    stage: StageName
    since: datetime
    reason: Annotated[str, Field(description="reported, first-purchase, gone, no-purchase, purchase; or a person's.")]
    source: Annotated[str, Field(description="Who said it or worked it out.")]


class Stages(BaseModel):
    """The present stage, and all that were passed, the earliest first."""

    stage: StageName
    steps: list[StepBody]


class RoleBody(BaseModel):
    """What somebody is or was to the company. `until` null: still."""

    role: Annotated[str, Field(description="lead, prospect, customer; distributor, agent, supplier.")]
    since: datetime | None
    until: datetime | None
    holds: bool
    source: str


class Roles(BaseModel):
    """All roles, several at once."""

    roles: list[RoleBody]


def router(staging: Staging, messaging: Messaging, seeing: Seeing) -> APIRouter:
    """The routes, over the use cases."""
    routes = APIRouter(prefix="/v1/contacts/{customer_id}", tags=["life cycle"])

    @routes.get("/stages", summary="Read how far a customer has come, and how")
    async def read_stages(principal: Reader, customer_id: CustomerId) -> Stages:
        """Of whom nothing was heard, the stage is `prospect` and there are no steps."""
        await seeing.by(principal).contact(customer_id)
        return _stages(await staging.history(customer_id))

    @routes.put("/stages", response_model=Stages, dependencies=[TAKES_KEY], summary="Decide how far somebody has come")
    async def decide_stage(
        principal: Writer, customer_id: CustomerId, decision: StageDecision, request: Request
    ) -> Response:
        """409 if they have bought: whoever has is a customer, or has lapsed, and nobody decides otherwise."""
        said_by = author(principal, decision.reason)
        await seeing.by(principal).contact(customer_id)

        async def change(unit: Unit) -> Answer:
            steps = await staging.decide(unit, customer_id, decision.stage, said_by)
            return Answer(200, _stages(steps))

        return await idempotent(request, principal, messaging, change)

    @routes.get("/roles", summary="List what somebody is and was to the company")
    async def list_roles(principal: Reader, customer_id: CustomerId) -> Roles:
        """Lead, prospect and customer follow from the stages; the others are said in events and with the contact."""
        contact = await seeing.by(principal).contact(customer_id)
        steps, now = await staging.history(customer_id), await staging.clock.now()
        own = [RoleBody(**one.model_dump(exclude={"said_at"}), holds=standing(one, now)) for one in contact.roles]
        return Roles(roles=[*_passed(steps), *own])

    return routes


def _stages(steps: list[Step]) -> Stages:
    passed = [StepBody.model_validate(step) for step in steps]
    return Stages(stage=passed[-1].stage if passed else "prospect", steps=passed)


def _passed(steps: list[Step]) -> list[RoleBody]:
    """Each stage as a role from its step to the next. Who has lapsed or was disqualified is none of the three."""
    ends = [step.since for step in steps[1:]]
    return [
        RoleBody(role=step.stage, since=step.since, until=end, holds=end is None, source=step.source)
        for step, end in zip_longest(steps, ends)
        if step.stage in {"lead", "prospect", "customer"}
    ]
