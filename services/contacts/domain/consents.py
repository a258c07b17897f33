"""Which of many answers of a customer holds, for each purpose and channel, whatever the order of arrival. Pure.

What an answer means at a moment is said by `shared.consent`, for all services alike.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from shared.consent import ANY, STRICTNESS, standing
from shared.contracts.channels import ConsentClaim
from shared.contracts.contacts import Consent
from shared.moments import to_the_millisecond

MAX_CONSENTS = 100


class TooManyConsents(ValueError):
    """More purposes and channels than a contact can hold. Refused, because to forget an old denial would be worse."""


def consent(claim: ConsentClaim, source: str) -> Consent:
    """What a customer said, as it is kept."""
    end = claim.valid_until and to_the_millisecond(claim.valid_until)
    told = claim.model_dump(exclude={"given_at", "valid_until"})
    return Consent(**told, given_at=to_the_millisecond(claim.given_at), valid_until=end, source=source)


def answers(held: list[Consent], told: Iterable[Consent]) -> list[Consent]:
    """The latest answer for each purpose and channel; of two given at once the stricter."""
    standing = {(consent.purpose, consent.channel): consent for consent in held}
    for consent in told:
        place = (consent.purpose, consent.channel)
        if place not in standing or _rank(consent) > _rank(standing[place]):
            standing[place] = consent
    if len(standing) > MAX_CONSENTS:
        raise TooManyConsents(f"a contact holds at most {MAX_CONSENTS} consents")
    return [standing[place] for place in sorted(standing)]


def stricter(one: Consent, other: Consent, since: datetime) -> Consent:
    """Which of two customers' answers to the same question holds once they were found to be one, at `since`.

    Once one of them has answered anew, the latest answer; till then the stricter, because nobody has asked the one person.
    A grant that has run out is no refusal: it counts as the grant that it was, so that nothing turns when that is told.
    """
    if max(one.given_at, other.given_at) > since:
        return max(one, other, key=_rank)
    return max(one, other, key=lambda consent: (0 if consent.expired else STRICTNESS[consent.status], _rank(consent)))


def of_both(survivor: Sequence[Consent], absorbed: Sequence[Consent], since: datetime) -> list[Consent]:
    """The answers of two who were found to be one, at `since`. Raises TooManyConsents."""
    held = {(consent.purpose, consent.channel): consent for consent in survivor}
    for consent in absorbed:
        place = (consent.purpose, consent.channel)
        held[place] = stricter(held[place], consent, since) if place in held else consent
    if len(held) > MAX_CONSENTS:
        raise TooManyConsents(f"a contact holds at most {MAX_CONSENTS} consents")
    on_every_channel = {purpose for purpose, channel in held if channel == ANY}
    single = [(purpose, channel) for purpose, channel in held if purpose in on_every_channel and channel != ANY]
    refused = {place: _refused(survivor, absorbed, held.values(), place, since) for place in single}
    return [refused.get(place) or held[place] for place in sorted(held)]


def _refused(
    survivor: Iterable[Consent],
    absorbed: Iterable[Consent],
    held: Iterable[Consent],
    place: tuple[str, str],
    since: datetime,
) -> Consent | None:
    """One's no for a channel that the other's later yes would open: an answer for every channel is one to this question, too.

    It is a no as of that yes: of two at once the refusal is heard, and what is said later opens the channel again.
    """
    one, other, opened = (standing(said, *place, since) for said in (survivor, absorbed, held))
    if not (one and other and opened and opened.consent.status == "granted"):
        return None
    strict = stricter(one.consent, other.consent, since)
    if strict.status == "granted" or strict.expired:
        return None
    return strict.model_copy(update={"channel": place[1], "given_at": opened.consent.given_at})


def _rank(consent: Consent) -> tuple[Any, ...]:
    """The later; of two given at once the stricter, then what ends sooner. The rest is so that arrival does not decide."""
    end = consent.valid_until
    sooner = (end is not None, -end.timestamp() if end else 0.0)
    rest = (consent.source, consent.evidence or "", consent.basis or "", consent.wording or "")
    return consent.given_at, STRICTNESS[consent.status], not consent.expired, *sooner, *rest
