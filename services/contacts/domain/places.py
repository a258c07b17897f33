"""Where a customer stands among those who were found to be one. The rules that move them are in `merging`."""

from dataclasses import dataclass
from datetime import datetime

from shared.contracts.contacts import Contact


@dataclass(frozen=True)
class Place:
    """A customer's place in a tree of merges: each was merged into at most one other, the root into nobody.

    The root answers for all. Nobody's statements ever move from one to another.
    """

    turn: int = 0
    """How often this customer was merged into another or set free again."""
    merge_id: str | None = None
    into: str | None = None
    """The customer whom this one was merged into; None: nobody."""
    since: datetime | None = None
    root: str | None = None
    """Who answers for this customer at the end of the chain; None: they do themselves."""
    members: tuple[str, ...] = ()
    """Of a root: all the others, sorted."""
    golden: Contact | None = None
    """Of a root that is not alone: the contact that all of them make, as it is published."""
    beat: int = 0
    """Of a root: grows whenever one of the members is written, so that two writers of one tree meet in a conflict."""

    @property
    def alone(self) -> bool:
        return self.root is None and not self.members


ALONE = Place()
