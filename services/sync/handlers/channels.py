"""The channels: registering and changing them, starting them over, and a copy of all in memory."""

import secrets
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from services.sync.domain.channel import Change, Channel, Kind, Registration
from services.sync.domain.outgoing import Changed, Progress
from services.sync.domain.positions import Cursor
from shared.messaging import Unit

SECRET_BYTES = 32


class ChannelExists(Exception):
    """There is a channel of this name already."""


class ChannelNotFound(Exception):
    """There is no such channel."""


class CustomerNotFound(Exception):
    """There is no such customer."""


class ChannelStore(Protocol):
    async def all(self) -> list[Channel]: ...

    async def get(self, channel_id: str, session: Any = None) -> Channel | None: ...

    async def put(self, channel: Channel, session: Any = None) -> None: ...

    async def remove(self, channel_id: str, session: Any = None) -> bool: ...


class ProgressStore(Protocol):
    async def progress(self, channel_id: str, session: Any = None) -> Progress: ...

    async def start_over(self, channel_id: str, cursor: Cursor, session: Any) -> None: ...

    async def ask_again(self, channel_id: str, customer_id: str, now: datetime, session: Any) -> None: ...


class HistoryStore(Protocol):
    async def tails(self) -> dict[int, int]: ...

    async def cursor_before(self, moment: datetime, tails: Mapping[int, int]) -> Cursor: ...

    async def these(self, customer_ids: Sequence[str]) -> list[Changed]: ...


class Channels:
    """Everything about channels but delivering to them."""

    def __init__(
        self,
        channels: ChannelStore,
        progress: ProgressStore,
        history: HistoryStore,
        now: Callable[[], datetime],
        *,
        allow_private: bool,
    ) -> None:
        self.store = channels
        self.progress = progress
        self.history = history
        self.now = now
        self.allow_private = allow_private
        self.known: dict[str, Channel] = {}

    async def refresh(self) -> bool:
        """Read all channels anew; say whether anything is different."""
        before = self.known
        # An unchanged channel stays the same object, so that whoever delivers sees at a glance that it is unchanged.
        self.known = {new.channel_id: same(before.get(new.channel_id), new) for new in await self.store.all()}
        return self.known != before

    def active(self, channel_id: str, kind: Kind) -> Channel | None:
        """The channel, if it is of this kind and is to be delivered to."""
        channel = self.known.get(channel_id)
        return channel if channel and channel.kind == kind and channel.state == "active" else None

    def kind_of(self, channel_id: str) -> Kind | None:
        """None: there is no such channel."""
        channel = self.known.get(channel_id)
        return channel.kind if channel else None

    async def register(self, unit: Unit, registration: Registration) -> tuple[Channel, str | None]:
        """The channel, and the secret that signs its webhooks. Raises ChannelExists, ForbiddenUrl."""
        secret = new_secret() if registration.kind == "webhook" else None
        channel = registration.channel(self.now(), secret, allow_private=self.allow_private)
        if await self.store.get(channel.channel_id, unit.session):
            raise ChannelExists(channel.channel_id)
        await self.store.put(channel, unit.session)
        # A name used before gets everything anew.
        await self.progress.start_over(channel.channel_id, {}, unit.session)
        return channel, secret

    async def change(self, unit: Unit, channel_id: str, change: Change) -> Channel:
        """Raises ChannelNotFound, ForbiddenUrl, NotPossible."""
        channel = await self.get(channel_id, unit)
        return await self.put(unit, change.applied(channel, self.now(), allow_private=self.allow_private))

    async def rotate(self, unit: Unit, channel_id: str) -> tuple[Channel, str]:
        """The channel with a new secret beside the old one, and the new one. Raises ChannelNotFound, NotPossible."""
        secret = new_secret()
        channel = await self.get(channel_id, unit)
        return await self.put(unit, channel.with_secret(secret, self.now())), secret

    async def disable(self, unit: Unit, channel_id: str, reason: str) -> None:
        """The receiver wants no more. Somebody has to make the channel active again."""
        channel = await self.get(channel_id, unit)
        await self.put(unit, channel.in_state("disabled", self.now(), reason))

    async def remove(self, unit: Unit, channel_id: str) -> None:
        """The channel is gone; what it has received stays on record. Raises ChannelNotFound."""
        if not await self.store.remove(channel_id, unit.session):
            raise ChannelNotFound(channel_id)

    async def replay_all(self, unit: Unit, channel_id: str, since: datetime | None) -> None:
        """Send again whatever has changed since a moment, or everything. Raises ChannelNotFound."""
        channel = await self.get(channel_id, unit)
        start: Cursor = {}
        if since is not None:
            before = await self.history.cursor_before(since, await self.history.tails())
            current = (await self.progress.progress(channel_id, unit.session)).cursor
            # What is not delivered yet is not to be skipped because it is older.
            start = {p: min(position, current.get(p, 0)) for p, position in before.items()}
        await self.progress.start_over(channel.channel_id, start, unit.session)

    async def replay_customer(self, unit: Unit, channel_id: str, customer_id: str) -> None:
        """Send one customer again. Raises ChannelNotFound, CustomerNotFound."""
        channel = await self.get(channel_id, unit)
        if not await self.history.these([customer_id]):
            raise CustomerNotFound(customer_id)
        await self.progress.ask_again(channel.channel_id, customer_id, self.now(), unit.session)

    async def get(self, channel_id: str, unit: Unit | None = None) -> Channel:
        """Raises ChannelNotFound."""
        channel = await self.store.get(channel_id, unit.session if unit else None)
        if channel is None:
            raise ChannelNotFound(channel_id)
        return channel

    async def put(self, unit: Unit, channel: Channel) -> Channel:
        await self.store.put(channel, unit.session)
        return channel


def same(before: Channel | None, now: Channel) -> Channel:
    return before if before is not None and before == now else now


def new_secret() -> str:
    """A signing secret as Standard Webhooks writes it."""
    return "whsec_" + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
