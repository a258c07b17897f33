"""Mistakes about customers who are one, two again, or no more. Every function plants one."""

from __future__ import annotations

from typing import Any

from tests.torture.planted.bug import reached, replaced


def links_outside() -> None:
    from shared.links import LinkStore

    def make(real: Any) -> Any:
        async def take(self: Any, facts: Any, _: Any) -> Any:
            reached("links-outside")
            return await real(self, facts, None)

        return take

    replaced(LinkStore, "take", make)


def parted_with_the_sum() -> None:
    from services.scoring.domain import merging

    def make(real: Any) -> Any:
        def together(parts: Any, trees: Any) -> Any:
            scored = real(parts, trees)
            for root, members in trees.items():
                whole, bond = scored[root]
                if len(members) > 1 and whole != bond.own:
                    reached("parted-with-the-sum")
                    scored[root] = whole, bond._replace(own=whole)
            return scored

        return together

    replaced(merging, "together", make)


def erased_once() -> None:
    from shared.erasing.tombstones import NOBODY, Tombstones
    from shared.erasing.work import Erasing

    def among(real: Any) -> Any:
        def nobody(self: Any, customers: Any) -> Any:
            if real(self, customers):
                reached("erased-once")
            return NOBODY

        return nobody

    def empty(real: Any) -> Any:
        done: set[str] = set()

        async def once(self: Any, work: Any) -> None:
            if work.erasure_id not in done:
                await real(self, work)
                done.add(work.erasure_id)

        return once

    replaced(Tombstones, "among", among)
    replaced(Erasing, "_empty", empty)
