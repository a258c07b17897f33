"""The routes by which a channel says that it has erased somebody."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from services.sync.handlers.erasing import ChannelErasures
from shared.contracts.fact import Code, CustomerId, Uuid7
from shared.http import Problem
from shared.messaging import Messaging
from shared.security import Principal, require

Listener = Annotated[Principal, Depends(require("stream:read"))]


def router(erasures: ChannelErasures, messaging: Messaging) -> APIRouter:
    routes = APIRouter(prefix="/v1/channels", tags=["channels"])

    @routes.put(
        "/{channel_id}/erasures/{erasure_id}/customers/{customer_id}",
        status_code=204,
        summary="Acknowledge the erasure of one customer",
    )
    async def acknowledge_customer(
        listener: Listener, channel_id: Code, erasure_id: Uuid7, customer_id: CustomerId
    ) -> Response:
        """The channel keeps nothing of the customer any more, as an event `erased` of its stream has told it. Its receipt is
        given when this has been said of each customer of the erasure whom it was ever sent.
        """
        admit(listener, channel_id)
        await messaging.transact(partial(erasures.acknowledge, erasure_id, channel_id, customer_id))
        return Response(status_code=204)

    @routes.put("/{channel_id}/erasures/{erasure_id}", status_code=204, summary="Acknowledge an erasure")
    async def acknowledge_erasure(listener: Listener, channel_id: Code, erasure_id: Uuid7) -> Response:
        """The same where the channel was sent but one customer of the erasure; of several each has to be acknowledged (409).

        From the administrator it is the whole receipt, for a channel that is no more or that nobody can ask.
        """
        admit(listener, channel_id)
        if listener.may("*"):
            await messaging.transact(partial(erasures.vouch, erasure_id, channel_id))
        else:
            await messaging.transact(partial(erasures.acknowledge, erasure_id, channel_id, None))
        return Response(status_code=204)

    return routes


def admit(listener: Principal, channel_id: str) -> None:
    """A key speaks for its own channel only; the administrator's for any."""
    if listener.channel_id != channel_id and not listener.may("*"):
        raise Problem(403, detail="The key speaks for another channel.")
