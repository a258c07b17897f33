"""Who carries which card, from the file of made-up forms; and which proposals of duplicates were right by it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.ledger.difference import Difference
from demo.ledger.files import Row, rows

LEAST_FOUND = 0.8
"""The forms are made so that the rest may have moved and have a slip of the pen besides."""
Cards = tuple[int, int]
"""Two that are said to be one customer's, the smaller number first."""


@dataclass(frozen=True, slots=True)
class Form:
    """What somebody wrote for a card. A household's first card has the household's number."""

    card: int
    household: int
    applied_at: str
    name: str
    birthdate: str
    street: str
    email: str | None


def forms(folder: Path, share: float) -> list[Form]:
    """In the order in which they were written."""
    return [form(row) for row in rows(folder, "made_up/cards", share)]


def form(row: Row) -> Form:
    name = f"{row['given']} {row['family']}"
    numbers = int(row["card"]), int(row["household_id"])
    return Form(*numbers, row["applied_at"], name, row["birthdate"], row["street"], row["email"] or None)


class Wallets:
    """With which of its cards a household has bought what."""

    def __init__(self, written: Collection[Form]) -> None:
        self._second = {one.household: one for one in written if one.card != one.household}

    def card(self, row: Row) -> int:
        """Odd baskets go on the second card, once there is one."""
        household, second = int(row["household_id"]), self._second.get(int(row["household_id"]))
        if second and row["transaction_timestamp"] > second.applied_at and row["basket_id"][-1] in "13579":
            return second.card
        return household


def known_twice(written: Collection[Form]) -> frozenset[Cards]:
    """The truth that nobody has told the platform."""
    return frozenset((one.household, one.card) for one in written if one.card != one.household)


def namesakes(written: Sequence[Form]) -> Cards | None:
    """Two of one name at one address who were born in different years: whoever looks at names only takes them for one."""
    seen: dict[tuple[str, str], Form] = {}
    for one in written:
        other = seen.setdefault((one.name, one.street), one)
        if other.household != one.household:
            return min(one.card, other.card), max(one.card, other.card)
    return None


@dataclass(frozen=True, slots=True)
class Found:
    """How well duplicates were found: pairs in the queue, accepted by the rule, of these right, and how many there are."""

    proposed: int
    accepted: int
    right: int
    there: int

    @property
    def precision(self) -> float | None:
        return self.right / self.accepted if self.accepted else None

    @property
    def recall(self) -> float | None:
        return self.right / self.there if self.there else None


def judged(written: Collection[Form], proposed: int, accepted: Collection[Cards]) -> Found:
    truth = known_twice(written)
    return Found(proposed, len(accepted), len(truth & set(accepted)), len(truth))


def wrong(written: Collection[Form], accepted: Collection[Cards]) -> Iterator[Difference]:
    """Whom the rule took for one, though they are two; and too many who were not found."""
    truth = known_twice(written)
    for one, other in sorted(set(accepted) - truth):
        yield Difference(f"cards {one} and {other}", "two customers", "one")
    found = len(truth & set(accepted))
    if found < LEAST_FOUND * len(truth):
        yield Difference("households with two cards that were found", f"{LEAST_FOUND:.0%} of {len(truth)}", found)
