"""Retention over HTTP: the company's actions, what to do about a customer and why, and what has been learnt."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from services.scoring.api.survivors import Survivors
from services.scoring.domain.purchases import cents_of
from services.scoring.domain.retention.assignment import Group
from services.scoring.domain.retention.catalogue import Action, Catalogue, NotACatalogue, Prior
from services.scoring.domain.retention.decision import Source
from services.scoring.domain.retention.persuasion import Belief
from services.scoring.handlers import Decided, Retaining
from shared.contracts.fact import Currency, CustomerId
from shared.http import Problem
from shared.security import Principal, require

Reader = Annotated[Principal, Depends(require("scores:read"))]
Writer = Annotated[Principal, Depends(require("scoring:write"))]
Money = Annotated[float, Field(ge=0, le=1e12, strict=True)]
Weight = Annotated[float, Field(gt=0, le=1e6, strict=True)]


class ActionBody(BaseModel):
    """What it costs to take an action, what its offer costs if it is taken up, and how probably it is."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    contact_cost: Money
    offer_cost: Money = 0.0
    p_accept: Annotated[float, Field(ge=0, le=1, strict=True)] = 1.0


class PriorBody(BaseModel):
    """What is believed of the share of customers that any action persuades, before evidence: Beta(alpha, beta)."""

    alpha: Weight = Prior().alpha
    beta: Weight = Prior().beta
    source: Annotated[str, Field(max_length=500)] = Prior().source


class CatalogueBody(BaseModel):
    """The actions there are. Of two that promise the same, the earlier one is taken."""

    actions: Annotated[list[ActionBody], Field(max_length=100)]
    prior: PriorBody = PriorBody()


class BeliefShown(BaseModel):
    """The share of customers whom an action persuades: `weight` of it is evidence, the rest the prior."""

    mean: float
    deviation: float
    weight: float
    observed: float | None
    """The bare difference of those with the action and those without, both drawn at random."""
    treated: int
    control: int


class OptionShown(BaseModel):
    action: str
    p_persuade: float
    source: Source
    cost: Decimal
    profit: Decimal
    belief: BeliefShown


class DecisionShown(BaseModel):
    """What to do about a customer this month; `none` is an action too. `best`: what profit alone would do.

    `group` says who decided: `control` is left alone for good, `exploration` is drawn at random to learn, the others by profit.
    """

    customer_id: CustomerId
    at: datetime
    occasion: str
    recorded: bool
    action: str
    best: str
    group: Group
    propensity: float
    stratum: str
    at_stake: Decimal
    currency: Currency
    expected_profit: Decimal
    options: list[OptionShown]
    uplift_version: int | None
    """Of the model behind options whose source is `model`."""
    reasons: list[str]


class ActionLearnt(BaseModel):
    """What is believed of an action: in segments where there is evidence, and elsewhere."""

    action: str
    elsewhere: BeliefShown
    segments: dict[str, BeliefShown]


class Learnt(BaseModel):
    actions: list[ActionLearnt]


def retention_routes(retaining: Retaining, survivors: Survivors) -> APIRouter:
    routes = APIRouter(tags=["retention"])

    @routes.get("/v1/actions", summary="The actions there are for keeping customers")
    async def read_actions(_: Reader) -> CatalogueBody:
        return _catalogue(await retaining.actions.catalogue())

    @routes.put("/v1/actions", summary="Set the actions; decisions that were put down stay")
    async def set_actions(_: Writer, body: CatalogueBody) -> CatalogueBody:
        try:
            actions = tuple(Action(**vars(action)) for action in body.actions)
            catalogue = Catalogue(actions, Prior(**vars(body.prior)))
        except NotACatalogue as error:
            raise Problem(422, "Invalid actions", errors=[("body.actions", str(error))]) from error
        await retaining.actions.set(catalogue)
        return _catalogue(catalogue)

    @routes.get("/v1/persuasion", summary="What is known of how many customers each action persuades")
    async def read_evidence(_: Reader) -> Learnt:
        known = retaining.beliefs(await retaining.actions.catalogue())
        return Learnt(
            actions=[
                ActionLearnt(
                    action=name,
                    elsewhere=_belief(each.elsewhere),
                    segments={stratum: _belief(belief) for stratum, belief in each.strata.items()},
                )
                for name, each in known.items()
            ]
        )

    @routes.get("/v1/retention/{customer_id}", summary="What was decided for this month, or would be now")
    async def preview(_: Reader, customer_id: CustomerId) -> DecisionShown:
        return _shown(_known(await retaining.preview(await survivors.root(customer_id))), retaining.scores.currency)

    @routes.post("/v1/retention/{customer_id}", summary="Decide for this month, and put it down to learn from")
    async def decide(_: Writer, customer_id: CustomerId) -> DecisionShown:
        return _shown(_known(await retaining.decide(await survivors.root(customer_id))), retaining.scores.currency)

    return routes


def _known(decided: Decided | None) -> Decided:
    if decided is None:
        raise Problem(404, detail="The customer is not known to have bought anything.")
    return decided


def _shown(decided: Decided, currency: str) -> DecisionShown:
    decision = decided.decision
    return DecisionShown(
        customer_id=decision.customer_id,
        at=decided.at,
        occasion=decided.occasion,
        recorded=decided.recorded,
        action=decision.action,
        best=decision.best,
        group=decision.group,
        propensity=decision.propensity,
        stratum=decision.stratum,
        at_stake=cents_of(decision.at_stake),
        currency=currency,
        expected_profit=cents_of(decision.profit),
        options=[
            OptionShown(
                action=option.action,
                p_persuade=option.p_persuade,
                source=option.source,
                cost=cents_of(option.cost),
                profit=cents_of(option.profit),
                belief=_belief(option.belief),
            )
            for option in decision.options
        ],
        uplift_version=decided.uplift_version,
        reasons=list(decided.words),
    )


def _belief(belief: Belief) -> BeliefShown:
    counts = belief.counts
    return BeliefShown(
        mean=belief.mean,
        deviation=belief.deviation,
        weight=belief.weight,
        observed=belief.observed,
        treated=counts.treated,
        control=counts.control,
    )


def _catalogue(catalogue: Catalogue) -> CatalogueBody:
    actions = [ActionBody(**vars(action)) for action in catalogue]
    return CatalogueBody(actions=actions, prior=PriorBody(**vars(catalogue.prior)))
