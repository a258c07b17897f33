"""Bugs about what channels have got of customers who are erased, put into the real code on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

from services.sync.handlers.webhooks import Worker
from services.sync.handlers.webhooks.upcoming import Item
from services.sync.store import owing, views


def who_may_have_got_something_forgotten() -> Any:
    """Only who is known to have got something is told."""
    return patch.object(owing, "may_have_got", lambda *_: False)


def reach_put_down_after_sending() -> Any:
    """With the batch, which may never be settled."""

    async def put_down(self: Worker, items: Sequence[Item]) -> None:
        self.reach.recorded(self.reach.lacking((item.changed.place for item in items if item.in_order), {}))

    return patch.object(Worker, "put_down", put_down)


def first_place_moved_along() -> Any:
    """Whoever has changed since is taken to have been beyond the reach."""
    write_of = views.write_of

    def moved(version: Any, place: Any) -> Any:
        write = write_of(version, place)
        write["u"]["$set"]["first"] = place
        return write

    return patch.object(views, "write_of", moved)


ABOUT_WITHDRAWAL = (
    who_may_have_got_something_forgotten,
    reach_put_down_after_sending,
    first_place_moved_along,
)
"""Only the story of customers who are erased while they are delivered can show these."""
