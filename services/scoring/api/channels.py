"""Channels over HTTP: whether those who came by different channels are told apart, and why."""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from services.scoring.domain.shrinkage import Apart, Tried
from services.scoring.handlers import ChannelLook, Channels
from shared.http import Problem
from shared.security import Principal, require

Reader = Annotated[Principal, Depends(require("scores:read"))]


class TriedShown(BaseModel):
    """`gain`: nats a customer by which who bought in the last quarter of the base's time was foretold better than by
    parameters that are alike for all; `error`: its standard error, paired by customer.
    """

    spread: float | None
    """How far channels' parameters were taken to lie around the base's, in logarithms; none: anywhere."""
    gain: float
    error: float
    better: bool
    """Beyond doubt."""


class ChannelShown(BaseModel):
    """Customers whose earliest order came by this channel."""

    channel: str
    customers: int
    told_apart: bool
    doubt: str | None
    """Why they are scored as the base is, though others are told apart."""


class ChannelsShown(BaseModel):
    at: datetime
    alike: bool
    """All are scored by the same parameters."""
    spread: float | None
    """That in use; none: each channel for itself."""
    tried: list[TriedShown]
    channels: list[ChannelShown]
    doubt: str | None
    """Why nothing could be tried."""
    held: list[str]
    """Doubts for which no version could be made with what was found: that before stays in use."""
    model_version: int


def channel_routes(channels: Channels) -> APIRouter:
    """To be mounted before those of the versions, whose numbers would take this name."""
    routes = APIRouter(prefix="/v1/models", tags=["models"])

    @routes.get("/channels", summary="Whether customers of different channels are told apart, as of the last look")
    async def read_channels(_: Reader) -> ChannelsShown:
        look = await channels.looks.channel_look()
        if look is None:
            raise Problem(404, detail="Nobody has looked yet.")
        return _shown(look)

    return routes


def _shown(look: ChannelLook) -> ChannelsShown:
    found = look.found
    apart = {one.name for one in found.by_channel.channels}
    return ChannelsShown(
        at=look.at,
        alike=not apart,
        spread=_finite(found.spread),
        tried=[_tried(one) for one in found.tried],
        channels=[_channel(one, apart) for one in found.channels],
        doubt=found.doubt,
        held=list(look.held),
        model_version=look.version,
    )


def _tried(one: Tried) -> TriedShown:
    return TriedShown(spread=_finite(one.spread), gain=one.gain, error=one.error, better=one.better)


def _channel(one: Apart, apart: Collection[str]) -> ChannelShown:
    channel = one.channel
    return ChannelShown(
        channel=channel.name, customers=channel.customers, told_apart=channel.name in apart, doubt=one.doubt
    )


def _finite(spread: float) -> float | None:
    """JSON has no infinity."""
    return spread if spread < float("inf") else None
