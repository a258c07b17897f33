"""The route by which a channel says that it has erased somebody."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from services.sync.handlers.erasing import ChannelErasures
from shared.contracts.fact import Code, Uuid7
from shared.http import Problem
from shared.messaging import Messaging
from shared.security import Principal, require

Listener = Annotated[Principal, Depends(require("stream:read"))]


def router(erasures: ChannelErasures, messaging: Messaging) -> APIRouter:
    routes = APIRouter(prefix="/v1/channels", tags=["channels"])

    @routes.put("/{channel_id}/erasures/{erasure_id}", status_code=204, summary="Acknowledge an erasure")
    async def acknowledge_erasure(listener: Listener, channel_id: Code, erasure_id: Uuid7) -> Response:
        """The channel keeps nothing of the customer any more. A webhook's 2xx says the same; for a stream this is the
        receipt, and for a channel that is no more an operator can give it.
        """
        if listener.channel_id != channel_id and not listener.may("*"):
            raise Problem(403, detail="The key speaks for another channel.")
        await messaging.transact(partial(erasures.acknowledge, erasure_id, channel_id))
        return Response(status_code=204)

    return routes
