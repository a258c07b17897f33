"""Which service answers which paths, for the local gateway and for whatever ingress stands before a platform elsewhere. Only data."""

from __future__ import annotations

ROUTES: dict[str, tuple[str, ...]] = {
    "contacts": (
        "/v1/contacts",
        "/v1/audit",
        "/v1/confirmations",
        "/v1/consents",
        "/v1/do-not-contact",
        "/v1/erasures",
        "/v1/forms",
        "/v1/identities",
        "/v1/merges",
        "/v1/permissions",
        "/v1/preferences",
    ),
    "interactions": ("/v1/events", "/v1/interactions", "/v1/orders", "/v1/dead-letters"),
    "campaigns": ("/v1/campaigns", "/v1/segments"),
    "scoring": (
        "/v1/scores",
        "/v1/models",
        "/v1/wishes",
        "/v1/products",
        "/v1/profits",
        "/v1/costs",
        "/v1/reviews",
        "/v1/contracts",
        "/v1/actions",
        "/v1/retention",
        "/v1/persuasion",
        "/v1/churn",
        "/v1/looks",
    ),
    "sync": ("/v1/customers", "/v1/channels", "/v1/keys"),
}
"""Path prefixes by service; a prefix covers whole segments only (`/v1/contacts` is not `/v1/contacts-old`)."""
SERVICES = tuple(ROUTES)

_BY_PREFIX = {prefix: service for service, prefixes in ROUTES.items() for prefix in prefixes}


def service_of(path: str) -> str | None:
    """The service that answers this path; None where nobody does."""
    return _BY_PREFIX.get("/".join(path.split("/", 3)[:3]))
