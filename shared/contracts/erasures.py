"""What all services tell of the erasures that they carry out (`crm.erasures`): ids and counts, never whom it was about."""

from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import Field

from shared.contracts.fact import Code, Deadline, Fact, Moment, Name, Part, Topic, Uuid7

Place = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._:-]{0,79}$")]
"""Where something of a customer may be: a service's name, `log`, or `channel:` and the channel's id."""
LOG = "log"
CHANNEL = "channel:"


class Kept(Part):
    """What the law wants kept, apart from everything else and under no customer's id."""

    what: Code
    basis: Name
    """The law that says so."""
    until: Deadline


class ErasureAwaited(Fact):
    """One more place, a channel, has something of the customer and was told to remove it."""

    TYPE: ClassVar[str] = "crm.erasure.awaited.v1"
    erasure_id: Uuid7
    place: Place
    since: Moment


class ErasureDone(Fact):
    """A place has nothing left of the customer, but for what it says is kept: its receipt."""

    TYPE: ClassVar[str] = "crm.erasure.done.v1"
    erasure_id: Uuid7
    place: Place
    at: Moment
    removed: dict[str, int] = Field(default_factory=dict)
    """Documents by collection."""
    kept: list[Kept] = Field(default_factory=list)


ERASURES = Topic("crm.erasures", (ErasureAwaited, ErasureDone), retention=timedelta(days=90))
