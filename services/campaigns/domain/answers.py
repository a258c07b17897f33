"""What customers have agreed to, and who must not be approached, as compactly as profiles keep it. The rule is `shared.consent`."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple, TypeAlias

from shared.consent import ANY, standing
from shared.contracts.contacts import Consent, DoNotContact
from shared.moments import to_the_millisecond

NEVER = datetime(1, 1, 1, tzinfo=UTC)


class Answer(NamedTuple):
    """What a customer has answered for one purpose on one channel: `granted`, `denied`, `withdrawn` or `expired`."""

    word: str
    until: datetime | None = None
    """When a grant runs out."""

    def at(self, moment: datetime) -> str:
        """The answer at a moment: when a grant runs out nothing is told to us beforehand."""
        ended = self.word == "granted" and self.until is not None and self.until <= moment
        return "expired" if ended else self.word


class Ban(NamedTuple):
    """Nobody may approach the customer on this channel from then on, and until then."""

    channel: str
    since: datetime
    until: datetime | None = None


Answers: TypeAlias = Mapping[str, Mapping[str, Answer]]
"""By purpose and channel; `any` holds for channels without an answer of their own."""


def answers(consents: Iterable[Consent]) -> dict[str, dict[str, Answer]]:
    """The answer in force on each channel that any was given for. Which one that is does not change with time."""
    by_purpose: dict[str, list[Consent]] = defaultdict(list)
    for consent in consents:
        by_purpose[consent.purpose].append(consent)
    return {
        purpose: {one.channel: in_force(said, purpose, one.channel) for one in said}
        for purpose, said in by_purpose.items()
    }


def in_force(consents: Iterable[Consent], purpose: str, channel: str) -> Answer:
    found = standing(consents, purpose, channel, NEVER)
    assert found is not None, "there is a consent for the channel"
    until = found.consent.valid_until if found.grants else None
    return Answer(found.answer, until and to_the_millisecond(until))


def answer(known: Answers, purpose: str, channel: str, at: datetime) -> str | None:
    """The customer's answer for a purpose on a channel at a moment, None if there is none."""
    by_channel = known.get(purpose, {})
    found = by_channel.get(channel) or by_channel.get(ANY)
    return found.at(at) if found else None


def bans(entries: Iterable[DoNotContact]) -> tuple[Ban, ...]:
    return tuple(
        Ban(one.channel, to_the_millisecond(one.since), one.until and to_the_millisecond(one.until)) for one in entries
    )
