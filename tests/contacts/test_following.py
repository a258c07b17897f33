"""What is followed is taken before its place is noted; a pass goes on where it stopped. Without servers."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from services.contacts.handlers.following import PIECE, Following, HistoryLost, News, Progress
from shared.leases import Lease, OwnLease


class Stopped(Exception):
    """The process ends here."""


class Line:
    """A stream that tells its news one by one, and then ends the process."""

    start = "begin"

    def __init__(self, news: list[News | Exception]) -> None:
        self.news = news

    async def next(self, most: int, seconds: float) -> News:
        if not self.news:
            raise Stopped
        told = self.news.pop(0)
        if isinstance(told, Exception):
            raise told
        return told


class Ground:
    """Contacts, what is noted of them, and who is taken: matching and marks in one."""

    def __init__(self, contacts: Collection[str], line: Line) -> None:
        self.contacts = sorted(contacts)
        self.line = line
        self.lease: Lease = OwnLease()
        self.noted = Progress()
        self.opened: list[Any] = []
        self.taken: list[tuple[str, ...]] = []
        self.ends_at: int | None = None
        self.knows = "0.0"

    @asynccontextmanager
    async def changes(self, token: Any) -> AsyncIterator[Line]:
        self.opened.append(token)
        yield self.line

    async def progress(self) -> Progress:
        return self.noted

    async def save_progress(self, progress: Progress) -> None:
        self.noted = progress

    async def following(self, after: str, limit: int) -> list[str]:
        return [one for one in self.contacts if one > after][:limit]

    async def mark(self) -> str:
        return self.knows

    async def take(self, customers: Collection[str], touched: Collection[str] = ()) -> list[Any]:
        if len(self.taken) == self.ends_at:
            raise Stopped
        self.taken.append((*customers, *touched))
        return []


async def run(ground: Ground) -> None:
    with pytest.raises(Stopped):
        await Following(ground, ground, "a", share=1.0).follow()  # type: ignore[arg-type]


NOTHING = News([], [], None)


async def test_the_first_time_all_are_passed_through_and_then_what_changes_is_taken() -> None:
    contacts = [f"c{n:03}" for n in range(2 * PIECE + 1)]
    ground = Ground(contacts, Line([NOTHING, NOTHING, NOTHING, NOTHING, News(["c7"], ["c8"], "t1")]))
    await run(ground)
    assert [len(one) for one in ground.taken] == [PIECE, PIECE, 1, 2]
    assert ground.taken[-1] == ("c7", "c8")
    assert ground.noted == Progress("t1", None, "0.0")
    assert ground.opened == [None]


async def test_news_that_were_not_taken_come_again() -> None:
    ground = Ground([], Line([News(["a"], [], "t1"), News(["b"], [], "t2")]))
    ground.noted = Progress("t0", None, "0.0")
    ground.ends_at = 1
    await run(ground)
    assert (ground.taken, ground.noted.token) == ([("a",)], "t1")
    ground.line, ground.ends_at = Line([News(["b"], [], "t2")]), None
    await run(ground)
    assert (ground.taken, ground.opened) == ([("a",), ("b",)], ["t0", "t1"])


async def test_a_pass_goes_on_where_it_stopped_and_begins_anew_for_something_new() -> None:
    contacts = [f"c{n:03}" for n in range(2 * PIECE)]
    ground = Ground(contacts, Line([NOTHING] * 9))
    ground.noted = Progress("t0", None, "0.0")
    ground.knows, ground.ends_at = "1.0", 1
    await run(ground)
    assert ground.noted == Progress("t0", contacts[PIECE - 1], "1.0")
    ground.line, ground.ends_at = Line([NOTHING] * 9), None
    await run(ground)
    assert [one[0] for one in ground.taken] == [contacts[0], contacts[PIECE]]
    assert ground.noted == Progress("t0", None, "1.0")


async def test_where_the_database_has_forgotten_all_are_passed_through() -> None:
    ground = Ground(["a"], Line([HistoryLost(), NOTHING, NOTHING]))
    ground.noted = Progress("old", None, "0.0")
    following = Following(ground, ground, "a", share=1.0)  # type: ignore[arg-type]
    await following.follow()
    assert ground.noted == Progress()
    await run(ground)
    assert (ground.taken, ground.opened) == ([("a",)], ["old", None])


async def test_while_another_follows_nothing_is_done() -> None:
    ground = Ground(["a"], Line([]))
    await ground.lease.claim("b", 60)
    await Following(ground, ground, "a", share=1.0).follow()  # type: ignore[arg-type]
    assert ground.opened == []
    assert replace(ground.noted) == Progress()
