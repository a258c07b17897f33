"""Whether a customer of a campaign may be contacted at this moment, has to be waited for, or must be left alone."""

from datetime import datetime, tzinfo
from typing import Literal, NamedTuple, TypeAlias

from services.campaigns.domain.answers import answer
from services.campaigns.domain.campaign import Campaign
from services.campaigns.domain.profile import Profile
from services.campaigns.domain.quiet import zone_of
from shared.consent import barred
from shared.moments import to_the_millisecond

Why: TypeAlias = Literal["do-not-contact", "no-consent", "restricted", "over", "unknown", "held-out"]
"""Why a customer is not contacted: `over`, their time came after the campaign's; `held-out`, with somebody who is; `unknown`,
nothing is known of them (any more).
"""


class Wait(NamedTuple):
    """Not now: they are to be looked at again then."""

    until: datetime


def not_now(campaign: Campaign, person: Profile | None, now: datetime, usual: tzinfo) -> Wait | Why | None:
    """What is against contacting a customer at this moment; None: nothing.

    `person` is as whom they are asked, a survivor for all who are one; `usual` the zone of those whose own is not known.
    """
    _, end = campaign.window()
    if person is None:
        return "unknown"
    if now > end:
        return "over"
    if why := refused(campaign, person, to_the_millisecond(now)):
        return why
    quiet = campaign.quiet_hours
    until = quiet.quiet_until(now, zone_of(person.contact.get("time_zone"), usual)) if quiet else None
    if until is None:
        return None
    return Wait(until) if until <= end else "over"


def refused(campaign: Campaign, person: Profile, now: datetime) -> Why | None:
    if person.restricted:
        return "restricted"
    if barred(person.do_not_contact, campaign.channel, now):
        return "do-not-contact"
    purpose = campaign.requires_consent
    if purpose is not None and answer(person.consents, purpose, campaign.channel, now) != "granted":
        return "no-consent"
    return None
