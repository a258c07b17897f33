"""The jobs that run beside the consumers."""

import asyncio

from services.scoring.jobs import looking


class Asked:
    """Looks, of which the first fails whenever it is asked for."""

    def __init__(self) -> None:
        self.second_twice = asyncio.Event()
        self._seconds = 0

    async def look_if_due(self, name: str) -> None:
        if name == "first":
            raise ValueError("a customer's words")
        self._seconds += 1
        if self._seconds > 1:
            self.second_twice.set()


async def test_a_look_that_fails_does_not_keep_the_ones_behind_it_from_being_made() -> None:
    asked = Asked()
    job = asyncio.ensure_future(looking(asked.look_if_due, ("first", "second"), every=0.001)())
    await asyncio.wait_for(asked.second_twice.wait(), 5)
    job.cancel()
