"""Bugs about customers who are one, two again, or no more, put into the real code on purpose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from services.campaigns.domain import merging
from services.campaigns.domain.profile import Profile
from services.campaigns.handlers import profiles as campaign_profiles
from services.contacts.handlers.forgetting import Forgetting
from shared.contracts.fact import Topic
from shared.contracts.merges import Link, LinkFact
from shared.erasing import Erasing, Tombstones
from shared.links import LinkStore
from shared.messaging import Unit


def links_taken_in_whatever_turn() -> Any:
    take = LinkStore.take

    async def last_heard(self: LinkStore, facts: Iterable[LinkFact], session: Any) -> list[Link]:
        told = list(facts)
        await self._links.delete_many({"_id": {"$in": [fact.absorbed for fact in told]}}, session=session)
        return await take(self, told, session)

    return patch.object(LinkStore, "take", last_heard)


def parted_with_what_all_have_brought() -> Any:
    join = merging.join

    def kept(profiles: dict[str, Profile], trees: Mapping[str, Iterable[str]], *, linked: bool) -> None:
        join(profiles, trees, linked=linked)
        for profile in profiles.values():
            if profile.whole:
                profile.sales = profile.whole.sales

    return patch.object(campaign_profiles, "join", kept)


@contextmanager
def erased_looked_for_once() -> Iterator[None]:
    """Each of the two by itself does no harm that lasts: what the one lets in, the other removes."""
    carry_on = Erasing._carry_on

    async def once(self: Erasing, row: Any) -> None:
        if row.get("emptied_at"):
            with patch.object(self, "_empty", nothing):
                await carry_on(self, row)
        else:
            await carry_on(self, row)

    async def nothing(_: Any) -> None:
        return

    def among(self: Tombstones, customers: Iterable[str]) -> Any:
        return ()

    with patch.object(Erasing, "_carry_on", once), patch.object(Tombstones, "among", among):
        yield


def views_left_behind_tombstones() -> Any:
    """The second look's tombstone comes before what is very late."""

    async def left(self: Forgetting, topic: Topic, customers: Sequence[str], unit: Unit) -> None:
        """Nothing is told."""

    return patch.object(Forgetting, "_bury", left)


ABOUT_PERSONS = (
    links_taken_in_whatever_turn,
    parted_with_what_all_have_brought,
    erased_looked_for_once,
    views_left_behind_tombstones,
)
"""Only the story of customers who are one can show these."""
