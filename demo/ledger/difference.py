"""One thing on which the books and the platform disagree."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """What it is about, what the files say, and what the platform says."""

    what: str
    expected: object
    found: object

    def __str__(self) -> str:
        return f"{self.what}: {self.expected!s} in the books, {self.found!s} in the platform"


def unequal(what: str, expected: object, found: object) -> Iterator[Difference]:
    if expected != found:
        yield Difference(what, expected, found)
