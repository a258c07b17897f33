"""Which of many answers of a customer holds, for each purpose and channel, whatever the order of arrival. Pure.

What an answer means at a moment is said by `shared.consent`, for all services alike.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from shared.consent import STRICTNESS
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


def _rank(consent: Consent) -> tuple[Any, ...]:
    """The later; of two given at once the stricter, then what ends sooner. The rest is so that arrival does not decide."""
    end = consent.valid_until
    sooner = (end is not None, -end.timestamp() if end else 0.0)
    rest = (consent.source, consent.evidence or "", consent.basis or "", consent.wording or "")
    return consent.given_at, STRICTNESS[consent.status], not consent.expired, *sooner, *rest
