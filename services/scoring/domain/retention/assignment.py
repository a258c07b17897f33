"""Who is left alone for good, who is treated at random, and for whom profit decides: by a hash of the customer's id.

The same on every machine, at every attempt and in any order, and for as long as the salt stays. Raising a share keeps
everybody whom it held already.
"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

Group = Literal["control", "exploration", "decided"]


@dataclass(frozen=True)
class Assignment:
    """`control`: share of the universal control, who are never treated. `exploration`: share treated at random."""

    salt: str
    control: float = 0.05
    exploration: float = 0.05

    def __post_init__(self) -> None:
        if not (self.control >= 0 and self.exploration >= 0 and self.control + self.exploration <= 1):
            raise ValueError("shares are not negative and not above 1 together")

    def group(self, customer_id: str) -> Group:
        """Control is taken from one end and exploration from the other, so that neither share moves the other's."""
        place = _uniform(self.salt, "group", customer_id)
        if place < self.control:
            return "control"
        return "exploration" if place >= 1.0 - self.exploration else "decided"

    def drawn(self, customer_id: str, occasion: str, choices: int) -> int:
        """A choice at random, 0 up to `choices`: a new one for each occasion, the same at each attempt at it."""
        return int(_uniform(self.salt, "draw", customer_id, occasion) * choices)

    def propensity(self, *, chosen: bool, nothing: bool, choices: int) -> float:
        """With which probability a customer like this one is done what was done, groups not being known beforehand.

        `chosen`: it is what profit would decide. `nothing`: it is no action. `choices`: of exploration, no action too.
        """
        decided = 1.0 - self.control - self.exploration
        return self.exploration / choices + decided * chosen + self.control * nothing


def _uniform(*parts: str) -> float:
    """A number from 0 up to 1 that depends on nothing but the parts: 53 bits, all that a float can tell apart."""
    digest = blake2b("\n".join(parts).encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53
