"""Changing the key that signs customers' links: a new one signs from now on, the others are believed until they are retired.

What lists know addresses by is another key, which cannot be changed: see `store/secret.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Protocol

import structlog

from services.contacts.domain.signing import LONGEST, MOST_KEYS
from services.contacts.domain.survivorship import milliseconds
from shared.messaging import Unit
from shared.mongo import Session

log = structlog.get_logger(__name__)


class NoSuchKey(LookupError):
    """None has this number."""


class KeySigns(ValueError):
    """It is the one that signs: another has to be made first."""


class TooManyKeys(ValueError):
    """More than a link can name."""


@dataclass(frozen=True)
class LinkKey:
    """A key, without what it is made of. The first was there from the beginning, and nobody made it."""

    number: int
    since: datetime | None = None
    by: str | None = None
    retired_at: datetime | None = None
    retired_by: str | None = None


@dataclass(frozen=True)
class Standing:
    """A key among the others. `needed_until`: when the last link that it can have signed is over; None: it signs."""

    key: LinkKey
    signs: bool
    needed_until: datetime | None


class Keys(Protocol):
    """Where keys are kept."""

    async def all(self, session: Session | None) -> Sequence[LinkKey]:
        """By number, the retired too."""
        ...

    async def add(self, one: LinkKey, session: Session | None) -> None: ...

    async def retire(self, one: LinkKey, session: Session | None) -> None:
        """What it was made of is gone for good."""
        ...


class Rotating:
    """The use cases. By the wall's clock, as links are."""

    def __init__(self, kept: Keys) -> None:
        self.kept = kept

    async def list(self) -> Sequence[Standing]:
        """The newest first."""
        keys = await self.kept.all(None)
        follower = {one.number: after.since for one, after in pairwise(keys)}
        return [
            Standing(one, one is keys[-1], since and since + LONGEST)
            for one in reversed(keys)
            for since in [follower.get(one.number)]
        ]

    async def rotate(self, unit: Unit, by: str) -> LinkKey:
        """Another key signs from now on. Links of before go on being valid. Raises TooManyKeys."""
        keys = await self.kept.all(unit.session)
        number = keys[-1].number + 1
        if number == MOST_KEYS:
            raise TooManyKeys(MOST_KEYS)
        one = LinkKey(number, milliseconds(datetime.now(UTC)), by)
        await self.kept.add(one, unit.session)
        log.info("link_key_made", number=number)
        return one

    async def retire(self, unit: Unit, number: int, by: str) -> None:
        """No link that this key has signed is valid any more. Again it changes nothing. Raises NoSuchKey, KeySigns."""
        keys = await self.kept.all(unit.session)
        one = next((one for one in keys if one.number == number), None)
        if one is None:
            raise NoSuchKey(number)
        if one is keys[-1]:
            raise KeySigns(number)
        if one.retired_at is None:
            retired = replace(one, retired_at=milliseconds(datetime.now(UTC)), retired_by=by)
            await self.kept.retire(retired, unit.session)
            log.info("link_key_retired", number=number)
