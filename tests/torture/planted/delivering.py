"""Mistakes in how channels are told. Every function plants one, before sync is loaded."""

from __future__ import annotations

import dataclasses
from typing import Any

from tests.torture.planted.bug import reached, replaced


def lease_ignored() -> None:
    from services.sync.store.deliveries import DeliveryStore

    def lease(_: Any) -> Any:
        async def granted(self: Any, channel_id: str, owner: str, seconds: float) -> bool:
            reached("lease-ignored")
            return True

        return granted

    def settle(real: Any) -> Any:
        async def settled(self: Any, settlement: Any, session: Any) -> None:
            await real(self, dataclasses.replace(settlement, owner=None), session)

        return settled

    replaced(DeliveryStore, "lease", lease)
    replaced(DeliveryStore, "settle", settle)


def cursor_before_delivery() -> None:
    from services.sync.domain.positions import resolved
    from services.sync.handlers.deliveries import Settlement
    from services.sync.handlers.webhooks.worker import Worker

    def make(real: Any) -> Any:
        async def deliver(self: Any, channel: Any, batch: Any) -> None:
            reached("cursor-before-delivery")
            cursor = resolved((*item.changed.place, True) for item in batch.items if item.in_order)
            early = Settlement(self.channel_id, batch.generation, self.lease.owner, cursor)
            await self.post.transact(lambda unit: self.post.deliveries.settle(early, unit.session))
            await real(self, channel, batch)

        return deliver

    replaced(Worker, "deliver", make)


def retry_forgotten() -> None:
    from services.sync.handlers.webhooks import outcome

    def make(_: Any) -> Any:
        def retry(*_: Any) -> None:
            reached("retry-forgotten")

        return retry

    replaced(outcome, "retry", make)


def consent_skipped() -> None:
    from services.sync.domain.policy import Policy

    def make(real: Any) -> Any:
        def allows(self: Any, contact: Any, at: Any) -> bool:
            if not real(self, contact, at):
                reached("consent-skipped")
            return True

        return allows

    replaced(Policy, "allows", make)


def fields_not_cut() -> None:
    from services.sync.domain import policy

    def make(_: Any) -> Any:
        def cut(value: Any, fields: Any) -> Any:
            reached("fields-not-cut")
            return value

        return cut

    replaced(policy, "cut", make)


def held_off_by_one() -> None:
    from services.sync.domain import outgoing

    def make(real: Any) -> Any:
        def verdict(source: Any, changed: Any, held: int) -> Any:
            if held == changed.version - 1 > 0:
                reached("held-off-by-one")
            return real(source, changed, held + 1 if held else held)

        return verdict

    replaced(outgoing, "verdict", make)


def wrong_body_signed() -> None:
    from services.sync.clients import post

    def make(real: Any) -> Any:
        def signed(secrets: Any, message_id: str, now: Any, body: bytes) -> Any:
            reached("wrong-body-signed")
            return real(secrets, message_id, now, body + b" ")

        return signed

    replaced(post, "signed", make)


def stream_starts_at_the_end() -> None:
    from services.sync.domain import positions

    def make(real: Any) -> Any:
        def start_of(resume: Any, generation: int, known: Any, tails: Any) -> Any:
            if resume is None:
                return real(resume, generation, known, tails)
            reached("stream-starts-at-the-end")
            return dict(tails)

        return start_of

    replaced(positions, "start_of", make)
