"""Contracts over HTTP: how a customer's may go on, and what the base says of contracts by their age."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from services.scoring.api.survivors import Survivors
from services.scoring.domain.contracts.facts import Cause
from services.scoring.domain.contracts.forecast import Outlook
from services.scoring.domain.fitting import Doubt
from services.scoring.domain.purchases import cents_of
from services.scoring.handlers import Contracting, Ending, Ends, Standing
from services.scoring.handlers.ending import By
from shared.contracts.fact import Currency, CustomerId
from shared.http import Problem
from shared.security import Principal, require

Reader = Annotated[Principal, Depends(require("scores:read"))]
Months = Annotated[int, Query(ge=1, le=60, description="How far to look ahead.")]


class MonthAhead(BaseModel):
    """After so many months: left by choice, ended by fate, still running and paid, running with a payment missing. They add
    up to 1.
    """

    month: int
    voluntary: float
    involuntary: float
    paid: float
    missing: float


class EndsShown(BaseModel):
    """How probably the contract ends within the horizon. `by` behaviour, where that has proved itself (`version`: of the newest
    model, also where it does not speak), or by age; the base's figures, by age and missing payments, stand beside it.
    """

    horizon_days: int
    by: By
    version: int
    voluntary: float
    involuntary: float
    base_voluntary: float
    base_involuntary: float


class ContractShown(BaseModel):
    """One run of a contract. What has ended has a cause; what runs has an outlook as soon as the base says enough."""

    contract: str
    """Channel and the channel's own number."""
    started_at: datetime
    age_months: int
    renewals: int
    renewed_at: datetime | None
    failing_since: datetime | None
    """When the payment failed that is still missing."""
    ended_at: datetime | None
    cause: Cause | None
    reason: str | None
    price: Decimal | None
    """A month, as it was told last."""
    value: Decimal | None
    """Discounted contribution of the next five years; null without a price, and of what has ended."""
    outlook: list[MonthAhead] | None
    ends: EndsShown | None
    """Null of what has ended, and before there is a model of how contracts end."""


class ContractsShown(BaseModel):
    """All contracts of a customer, those that are over too."""

    customer_id: CustomerId
    currency: Currency
    contracts: list[ContractShown]


class BaseContracts(BaseModel):
    """What the base says of a contract that begins today. `doubt`: too little has happened to say anything."""

    at: datetime
    customers: int
    contracts: int
    doubt: Doubt | None
    outlook: list[MonthAhead] | None


def contract_routes(contracting: Contracting, ending: Ending, survivors: Survivors, currency: str) -> APIRouter:
    routes = APIRouter(prefix="/v1/contracts", tags=["contracts"])

    @routes.get("/base", summary="What happens to contracts, by their age, as of the last look")
    async def read_contracts_base(_: Reader, months: Months = 24) -> BaseContracts:
        return _base(contracting, months)

    @routes.get("/{customer_id}", summary="A customer's contracts, and how they may go on")
    async def read_contracts(_: Reader, customer_id: CustomerId, months: Months = 12) -> ContractsShown:
        customer_id = await survivors.root(customer_id)
        found = await contracting.read(customer_id)
        if not found:
            raise Problem(404, detail="No contract of the customer is known to have begun.")
        ends = {(one.contract, one.started_at): one for one in await ending.foretell(customer_id)}
        shown = [_shown(one, ends.get((one.spell.contract, one.spell.started_at)), months) for one in found]
        return ContractsShown(customer_id=customer_id, currency=currency, contracts=shown)

    return routes


def _base(contracting: Contracting, months: int) -> BaseContracts:
    risks = contracting.risks
    if risks is None:
        raise Problem(404, detail="This instance has not looked through the contracts yet.")
    ahead = contracting.newcomer(months)
    return BaseContracts(
        at=risks.at,
        customers=risks.customers,
        contracts=risks.runs,
        doubt=risks.hazards if isinstance(risks.hazards, Doubt) else None,
        outlook=None if ahead is None else _months(ahead, months),
    )


def _shown(one: Standing, ends: Ends | None, months: int) -> ContractShown:
    spell, prospect = one.spell, one.prospect
    value = prospect.value if prospect else None
    return ContractShown(
        contract=spell.contract,
        started_at=spell.started_at,
        age_months=one.age,
        renewals=spell.renewals,
        renewed_at=spell.renewed_at,
        failing_since=spell.failing_since,
        ended_at=spell.ended_at,
        cause=spell.cause,
        reason=spell.reason or None,
        price=one.price,
        value=None if value is None else cents_of(value),
        outlook=_months(prospect.outlook, months) if prospect else None,
        ends=EndsShown(**{name: getattr(ends, name) for name in EndsShown.model_fields}) if ends else None,
    )


def _months(ahead: Outlook, months: int) -> list[MonthAhead]:
    columns = (ahead.voluntary, ahead.involuntary, ahead.paid, ahead.missing)
    rows = zip(*(column[0, : months + 1].tolist() for column in columns), strict=True)
    return [
        MonthAhead(month=month, voluntary=voluntary, involuntary=involuntary, paid=paid, missing=missing)
        for month, (voluntary, involuntary, paid, missing) in enumerate(rows)
    ]
