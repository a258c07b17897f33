"""Events and facts as channels tell them, for the tests of interactions."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from shared.contracts.channels import (
    CancellationReported,
    ContractReported,
    InteractionReported,
    ReturnReported,
    SaleReported,
)
from shared.contracts.fact import Identifier

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANNA = "01890a5d-ac96-774b-bcce-b302099a8057"
BEN = "01890a5d-ac96-774b-bcce-b302099a8058"
SHOP = "/channels/north-pos"


def identifiers(*values: str) -> list[Identifier]:
    return [Identifier(scheme=value.partition(":")[0], value=value.partition(":")[2]) for value in values]


def sale(order: str = "O-1", *values: str, customer: Sequence[str] = ("pos:N-1",), **told: Any) -> SaleReported:
    lines = [{"product": f"P-{n}", "quantity": "1", "value": value} for n, value in enumerate(values or ("9.99",))]
    data = {"order": order, "ordered_at": NOON, "currency": "USD", "lines": lines, **told}
    return SaleReported.model_validate({"customer": identifiers(*customer), **data})


def interaction(kind: str = "call", *, customer: Sequence[str] = ("pos:N-1",), **told: Any) -> InteractionReported:
    data = {"customer": identifiers(*customer), "kind": kind, "occurred_at": NOON, **told}
    return InteractionReported.model_validate(data)


def returned(
    order: str = "O-1",
    number: str = "R-1",
    *values: str,
    customer: Sequence[str] = ("pos:N-1",),
    restocked: str = "0",
    **told: Any,
) -> ReturnReported:
    lines = [
        {"product": f"P-{n}", "quantity": "1", "value": value, "restocked": restocked}
        for n, value in enumerate(values or ("1.00",))
    ]
    data = {"order": order, "number": number, "returned_at": NOON, "currency": "USD", "lines": lines, **told}
    return ReturnReported.model_validate({"customer": identifiers(*customer), **data})


def contract(
    event: str = "started", number: str = "C-1", *, customer: Sequence[str] = ("pos:N-1",), **told: Any
) -> ContractReported:
    data = {"contract": number, "event": event, "happened_at": NOON, **told}
    return ContractReported.model_validate({"customer": identifiers(*customer), **data})


def cancelled(order: str = "O-1", *, customer: Sequence[str] = ("pos:N-1",), **told: Any) -> CancellationReported:
    data = {"order": order, "cancelled_at": NOON, **told}
    return CancellationReported.model_validate({"customer": identifiers(*customer), **data})
