"""Mistakes in how facts are published. Every function plants one."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.torture.planted.bug import reached, replaced


def token_before_publish() -> None:
    from shared.messaging.relay import Relay

    def make(real: Any) -> Any:
        async def next_round(self: Any, stream: Any) -> Any:
            documents, events = await real(self, stream)
            if events:
                reached("token-before-publish")
                await self._save(token=stream.resume_token)
            return documents, events

        return next_round

    replaced(Relay, "_next_round", make)


def acknowledgement_not_awaited() -> None:
    from shared.messaging.producer import Producer

    def make(_: Any) -> Any:
        async def acknowledged(self: Any, producer: Any, sent: Any) -> None:
            reached("acknowledgement-not-awaited")
            for future in sent:
                future.add_done_callback(lambda done: done.cancelled() or done.exception())

        return acknowledged

    replaced(Producer, "_acknowledged", make)


def relay_out_of_order() -> None:
    from shared.messaging.relay import Relay

    def make(real: Any) -> Any:
        async def next_round(self: Any, stream: Any) -> Any:
            documents, events = await real(self, stream)
            if len(events) > 1:
                reached("relay-out-of-order")
            return documents, events[::-1]

        return next_round

    replaced(Relay, "_next_round", make)


def accepted_before_the_broker() -> None:
    from services.interactions.handlers.rounds import Rounds

    under_way: set[asyncio.Task[None]] = set()

    def make(real: Any) -> Any:
        async def send(self: Any, records: Any) -> None:
            reached("accepted-before-the-broker")
            task = asyncio.create_task(real(self, records))
            under_way.add(task)
            task.add_done_callback(under_way.discard)

        return send

    replaced(Rounds, "send", make)
