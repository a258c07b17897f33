"""The route that says whose identifiers are, for a batch of customers at a time."""

from typing import Annotated

from fastapi import APIRouter, Depends

from services.contacts.api.bodies import CustomerIds, IdentifierLists
from services.contacts.domain.changes import Author
from services.contacts.handlers import Handlers
from shared.messaging import Messaging
from shared.security import Principal, require

Resolver = Annotated[Principal, Depends(require("identities:resolve"))]


def router(handlers: Handlers, messaging: Messaging) -> APIRouter:
    """The route; it needs no idempotency key, since asking again gives the same customers."""
    routes = APIRouter(prefix="/v1/identities", tags=["identities"])

    @routes.post("/resolve", summary="Say whose identifiers are")
    async def resolve_identities(principal: Resolver, question: IdentifierLists) -> CustomerIds:
        """One customer id for each list.

        Any known identifier decides, the first of several; unknown ones become that customer's. Lists that share an
        identifier get the same customer. Who is unknown is registered as a prospect.
        """
        known = await handlers.known(question.customers)
        if known is None:
            asker = Author(f"/keys/{principal.key_id}", principal.name)
            known = await messaging.transact(lambda unit: handlers.resolve(unit, question.customers, asker))
        return CustomerIds(customers=known)

    return routes
