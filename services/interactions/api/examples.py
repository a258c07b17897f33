"""The body of `POST /v1/events` in the OpenAPI document, by example; the schemas of the data come from the contracts."""

from typing import Any

from shared.messaging.envelope import BATCH, STRUCTURED

_SALE_DATA: dict[str, Any] = {
    "customer": [{"scheme": "north-pos", "value": "N-002261"}, {"scheme": "loyalty-card", "value": "LC-2261"}],
    "order": "31198705046",
    "ordered_at": "2026-03-01T12:00:00Z",
    "store": "367",
    "currency": "USD",
    "lines": [{"product": "1082185", "quantity": "1", "value": "1.99", "discounts": {"retail": "0.20"}}],
}
SALE: dict[str, Any] = {
    "specversion": "1.0",
    "id": "sale-31198705046",
    "source": "/channels/north-pos",
    "type": "crm.sale.reported.v1",
    "time": "2026-03-01T12:00:00Z",
    "data": _SALE_DATA,
}
RETURN: dict[str, Any] = {
    "specversion": "1.0",
    "id": "return-R-417",
    "source": "/channels/north-pos",
    "type": "crm.return.reported.v1",
    "time": "2026-03-04T09:30:00Z",
    "data": {
        "customer": [{"scheme": "north-pos", "value": "N-002261"}],
        "number": "R-417",
        "order": "31198705046",
        "returned_at": "2026-03-04T09:30:00Z",
        "currency": "USD",
        "lines": [{"product": "1082185", "quantity": "1", "value": "1.99", "restocked": "1"}],
    },
}
CANCELLATION: dict[str, Any] = {
    "specversion": "1.0",
    "id": "cancellation-31198705046",
    "source": "/channels/north-pos",
    "type": "crm.cancellation.reported.v1",
    "time": "2026-03-05T08:00:00Z",
    "data": {
        "customer": [{"scheme": "north-pos", "value": "N-002261"}],
        "order": "31198705046",
        "cancelled_at": "2026-03-05T08:00:00Z",
        "reason": "out-of-stock",
    },
}
CALL: dict[str, Any] = {
    "specversion": "1.0",
    "id": "call-77120",
    "source": "/channels/call-centre",
    "type": "crm.interaction.reported.v1",
    "time": "2026-03-01T12:05:00Z",
    "data": {
        "customer": [{"scheme": "loyalty-card", "value": "LC-2261"}],
        "kind": "call",
        "occurred_at": "2026-03-01T12:05:00Z",
        "direction": "inbound",
        "summary": "Asked when the shop in Main Street opens.",
    },
}
_EVENT: dict[str, Any] = {
    "type": "object",
    "required": ["specversion", "id", "source", "type", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "maxLength": 512},
        "source": {"type": "string", "maxLength": 512},
        "type": {"type": "string"},
        # Null is the same as absent (CloudEvents 1.0.2, JSON format, 2.2).
        "time": {"type": ["string", "null"], "format": "date-time"},
        "data": {"type": "object"},
    },
}
REQUEST_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        STRUCTURED: {
            "schema": _EVENT,
            "examples": {
                "sale": {"summary": "A sale", "value": SALE},
                "return": {"summary": "What came back of it", "value": RETURN},
                "cancellation": {"summary": "It is void", "value": CANCELLATION},
                "call": {"summary": "A call", "value": CALL},
            },
        },
        BATCH: {"schema": {"type": "array", "items": _EVENT, "maxItems": 1000}, "example": [SALE, CALL]},
        "application/json": {"schema": {"type": "object"}, "example": SALE["data"]},
    },
}
