"""The routes of channels: registering and changing them, how they are doing, what they were sent, and replays."""

from collections.abc import Mapping
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends

from services.sync.api.bodies import (
    ChannelBody,
    ChannelStatus,
    Delivery,
    NewChannel,
    NewSecret,
    RegisteredChannel,
    Replay,
)
from services.sync.domain.channel import Change
from services.sync.domain.outgoing import Progress, Receipt
from services.sync.domain.positions import Cursor as Positions
from services.sync.handlers.channels import Channels
from services.sync.handlers.deliveries import DeliveryStatus
from services.sync.handlers.dispatch import Dispatch
from shared.http import Cursor, Limit, Page, encode_cursor, text_of
from shared.messaging import Messaging
from shared.security import Principal, require

Reader = Annotated[Principal, Depends(require("channels:read"))]
Writer = Annotated[Principal, Depends(require("channels:write"))]


class Changes(Protocol):
    async def tails(self) -> dict[int, int]: ...

    async def backlog(self, cursor: Positions, tails: Mapping[int, int]) -> int: ...


class Deliveries(Protocol):
    async def progress(self, channel_id: str) -> Progress: ...

    async def owed(self, channel_id: str) -> tuple[int, int]: ...

    async def owe_nothing(self, channel_id: str) -> None: ...

    async def page(
        self, channel_id: str, after: str, limit: int, status: DeliveryStatus | None = None
    ) -> list[Receipt]: ...


class Routes:
    """The routes' common ground: a change takes effect on this instance at once, and elsewhere within a second."""

    def __init__(
        self, channels: Channels, changes: Changes, deliveries: Deliveries, dispatch: Dispatch, messaging: Messaging
    ) -> None:
        self.channels = channels
        self.changes = changes
        self.deliveries = deliveries
        self.dispatch = dispatch
        self.messaging = messaging

    async def announce(self) -> None:
        await self.channels.refresh()
        self.dispatch.nudge()

    async def status(self, channel_id: str) -> ChannelStatus:
        channel = await self.channels.get(channel_id)
        progress = await self.deliveries.progress(channel_id)
        backlog = await self.changes.backlog(progress.cursor, await self.changes.tails())
        return ChannelStatus.about(channel, progress, backlog, await self.deliveries.owed(channel_id))


def router(routes: Routes) -> APIRouter:
    api = APIRouter(prefix="/v1/channels", tags=["channels"])
    registering(api, routes)
    reading(api, routes)
    changing(api, routes)
    return api


def registering(api: APIRouter, routes: Routes) -> None:
    # No Idempotency-Key here: it would keep the answer, and the answer is the secret. The name is the key.
    @api.post("", status_code=201, summary="Register a channel; its secret is shown this once")
    async def register_channel(_: Writer, body: NewChannel) -> RegisteredChannel:
        """A new channel begins with everything: each customer once, in the newest version."""
        channel, secret = await routes.messaging.transact(lambda unit: routes.channels.register(unit, body))
        await routes.announce()
        return RegisteredChannel(**ChannelBody.of(channel).model_dump(), secret=secret)

    @api.delete("/{channel_id}", status_code=204, summary="Remove a channel")
    async def remove_channel(_: Writer, channel_id: str) -> None:
        """What it has received stays on record."""
        await routes.messaging.transact(lambda unit: routes.channels.remove(unit, channel_id))
        await routes.announce()
        await routes.deliveries.owe_nothing(channel_id)


def reading(api: APIRouter, routes: Routes) -> None:
    @api.get("", summary="List channels")
    async def list_channels(_: Reader) -> Page[ChannelBody]:
        channels = sorted(routes.channels.known.values(), key=lambda channel: channel.channel_id)
        return Page(items=[ChannelBody.of(channel) for channel in channels])

    @api.get("/{channel_id}", summary="A channel and how it is doing")
    async def get_channel(_: Reader, channel_id: str) -> ChannelStatus:
        return await routes.status(channel_id)

    @api.get("/{channel_id}/deliveries", summary="What a channel was sent, and what is owed to it")
    async def list_deliveries(
        _: Reader, channel_id: str, status: DeliveryStatus | None = None, cursor: Cursor = None, limit: Limit = 100
    ) -> Page[Delivery]:
        found = await routes.deliveries.page(channel_id, text_of(cursor, "after") or "", limit, status)
        following = encode_cursor({"after": found[-1].customer_id}) if len(found) == limit else None
        return Page(items=[Delivery.of(receipt) for receipt in found], next=following)


def changing(api: APIRouter, routes: Routes) -> None:
    @api.patch("/{channel_id}", summary="Change, pause or resume a channel")
    async def change_channel(_: Writer, channel_id: str, body: Change) -> ChannelBody:
        """Other fields, purpose or basis are a new version of the policy, under which later deliveries go."""
        channel = await routes.messaging.transact(lambda unit: routes.channels.change(unit, channel_id, body))
        await routes.announce()
        return ChannelBody.of(channel)

    @api.post("/{channel_id}/secret", status_code=201, summary="Change over to a new secret, shown this once")
    async def rotate_secret(_: Writer, channel_id: str) -> NewSecret:
        """For 24 hours the old secret signs beside the new one."""
        __, secret = await routes.messaging.transact(lambda unit: routes.channels.rotate(unit, channel_id))
        await routes.announce()
        return NewSecret(secret=secret)

    @api.post("/{channel_id}/replay", status_code=202, summary="Send again")
    async def replay_channel(_: Writer, channel_id: str, body: Replay) -> ChannelStatus:
        """Each customer in the newest version, under a new webhook id."""
        if body.customer_id:
            customer = body.customer_id
            await routes.messaging.transact(lambda unit: routes.channels.replay_customer(unit, channel_id, customer))
        else:
            await routes.messaging.transact(lambda unit: routes.channels.replay_all(unit, channel_id, body.since))
        return await routes.status(channel_id)
