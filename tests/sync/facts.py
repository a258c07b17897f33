"""Facts of the other services, as short as a test needs them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from shared.contracts.campaigns import CustomerSelected
from shared.contracts.channels import ReturnLine
from shared.contracts.contacts import Contact, ContactChanged, ContactMerged, ContactRestricted, ContactUnmerged
from shared.contracts.interactions import InteractionRecorded, OrderCancelled, OrderPlaced, OrderReturned
from shared.contracts.scoring import Score, ScoreChanged, ScoreWithdrawn

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ANNA = "019aa700-0000-7000-8000-00000000000a"
BERT = "019aa700-0000-7000-8000-00000000000b"
CLEO = "019aa700-0000-7000-8000-00000000000c"


def day(number: int) -> datetime:
    return datetime(2017, 1, 1, 8, 30, 15, 123456, tzinfo=UTC) + timedelta(days=number)


def customer(number: int) -> str:
    return f"019aa6ff-0000-7000-8000-{number:012x}"


def contact(customer_id: str = ANNA, version: int = 1, **fields: Any) -> ContactChanged:
    known = {"name": f"Name {version}", "party": "household", "stage": "customer", "identifiers": [], **fields}
    times = {"registered_at": day(0), "changed_at": day(version)}
    state = Contact.model_validate({"customer_id": customer_id, "version": version, **times, **known})
    return ContactChanged(contact=state, changed=["name"])


def order(customer_id: str = ANNA, number: int = 1, total: str = "10.50", currency: str = "USD") -> OrderPlaced:
    return OrderPlaced(
        order_id=f"order-{number}",
        customer_id=customer_id,
        channel="/channels/e-shop",
        ordered_at=day(number),
        currency=currency,
        total=Decimal(total),
        lines=[],
    )


def returned(
    customer_id: str = ANNA, number: int = 1, total: str = "2.50", order: int = 1, currency: str = "USD"
) -> OrderReturned:
    return OrderReturned(
        return_id=f"return-{number}",
        order_id=f"order-{order}",
        customer_id=customer_id,
        channel="/channels/e-shop",
        returned_at=day(number + 3),
        ordered_at=day(order),
        currency=currency,
        total=Decimal(total),
        lines=[ReturnLine(product="p", quantity=Decimal(1), value=Decimal(total))],
    )


def cancelled(customer_id: str = ANNA, order: int = 1, total: str = "10.50") -> OrderCancelled:
    return OrderCancelled(
        order_id=f"order-{order}",
        customer_id=customer_id,
        channel="/channels/e-shop",
        cancelled_at=day(order + 3),
        ordered_at=day(order),
        currency="USD",
        total=Decimal(total),
    )


def interaction(customer_id: str = ANNA, number: int = 1, kind: str = "call") -> InteractionRecorded:
    return InteractionRecorded(
        interaction_id=f"interaction-{number:04}",
        customer_id=customer_id,
        channel="/channels/call-centre",
        kind=kind,
        occurred_at=day(number),
    )


def score(customer_id: str = ANNA, as_of: int = 1, value: str = "99.90") -> ScoreChanged:
    figures = {"purchases": 3, "frequency": 2, "money": Decimal("31.50"), "currency": "USD", "horizon_days": 90}
    return ScoreChanged(
        score=Score(customer_id=customer_id, as_of=day(as_of), p_alive=0.1 + 0.2, value=Decimal(value), **figures)
    )


def withdrawn(customer_id: str = ANNA, as_of: int = 1) -> ScoreWithdrawn:
    return ScoreWithdrawn(customer_id=customer_id, as_of=day(as_of))


def selected(customer_id: str = ANNA, number: int = 1, arm: str = "treatment") -> CustomerSelected:
    return CustomerSelected.model_validate(
        {
            "campaign_id": f"campaign-{number}",
            "name": "Come back",
            "customer_id": customer_id,
            "arm": arm,
            "channel": "mail",
            "selected_at": day(number),
            "respond_until": NOW + timedelta(days=60),
        }
    )


def merged(survivor: str = ANNA, absorbed: str = BERT, turn: int = 1) -> ContactMerged:
    return ContactMerged(
        merge_id=customer(900 + turn), survivor=survivor, absorbed=absorbed, turn=turn, merged_at=day(turn)
    )


def unmerged(survivor: str = ANNA, absorbed: str = BERT, turn: int = 2) -> ContactUnmerged:
    return ContactUnmerged(
        merge_id=customer(900 + turn - 1), survivor=survivor, absorbed=absorbed, turn=turn, unmerged_at=day(turn)
    )


def restricted(customer: str, restricted: bool = True) -> ContactRestricted:
    return ContactRestricted(customer_id=customer, restricted=restricted, since=day(1))
