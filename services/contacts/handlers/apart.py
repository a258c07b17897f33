"""Work on many contacts at once, of which one that is larger than can be told stops none of the others."""

from collections.abc import Awaitable, Callable, Sequence

from shared.messaging import TooLarge


async def apart(customers: Sequence[str], work: Callable[[Sequence[str]], Awaitable[int]]) -> tuple[int, list[str]]:
    """Work on all of them, each piece in a transaction of its own, halved until it can be told; how much was done in sum, and
    the customers of whom nothing could be.
    """
    try:
        return await work(customers), []
    except TooLarge:
        if len(customers) == 1:
            return 0, list(customers)
    middle = len(customers) // 2
    first, late = await apart(customers[:middle], work)
    second, later = await apart(customers[middle:], work)
    return first + second, late + later
