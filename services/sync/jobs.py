"""What sync does without being asked: follow the order of changes, and deliver."""

from collections.abc import Awaitable, Callable

from services.sync.handlers.dispatch import Dispatch
from services.sync.handlers.tail import Tail


def jobs(tail: Tail, dispatch: Dispatch) -> list[Callable[[], Awaitable[None]]]:
    return [tail.listen, tail.follow, dispatch.run]
