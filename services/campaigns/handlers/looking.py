"""Who is in a campaign: what each has bought since, and how far it is with contacting them.

Of whoever is restricted nothing that was bought is told. That they were drawn and approached is.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, Protocol, TypeAlias

from services.campaigns.domain.campaign import Arm, Campaign
from services.campaigns.domain.handover import Why
from services.campaigns.domain.profile import Profile
from services.campaigns.handlers.campaigns import Persons, Response
from services.campaigns.handlers.errors import UnknownCampaign
from services.campaigns.handlers.handing import Drawn

KeptBack: TypeAlias = Literal["waiting", "withheld"]
Standing: TypeAlias = Literal["contacted", "waiting", "withheld", "held-out", "untold"]
"""`held-out`: drawn to be left alone; `untold`: the launch has not come to them yet."""


class Rows(Protocol):
    """Where campaigns and their customers are kept."""

    async def get(self, campaign_id: str) -> Campaign | None: ...

    async def drawn_page(
        self, campaign_id: str, after: str | None, limit: int, arm: Arm | None, kept_back: KeptBack | None
    ) -> list[Drawn]:
        """By customer id."""
        ...


class People(Protocol):
    async def asked(self, customer_ids: Collection[str]) -> dict[str, Profile]:
        """Of each customer, who answers for them: themselves, or the survivor. Who is not known is not in it."""
        ...


class Seen(NamedTuple):
    """A customer of a campaign, as an operator looks at them."""

    response: Response
    standing: Standing
    waiting_until: datetime | None
    """When they are looked at again, and told if nothing is against it then."""
    withheld: Why | None
    restricted: bool
    """What they bought is kept and not told; who is one with somebody restricted is so too."""


class Looking:
    def __init__(self, rows: Rows, persons: Persons, people: People) -> None:
        self._rows = rows
        self._persons = persons
        self._people = people

    async def customers(
        self,
        campaign_id: str,
        after: str | None,
        limit: int,
        arm: Arm | None = None,
        kept_back: KeptBack | None = None,
    ) -> Sequence[Seen]:
        """The customers by id: all, or those of one arm, or those who are not contacted (yet). Raises UnknownCampaign."""
        campaign = await self._rows.get(campaign_id)
        if campaign is None:
            raise UnknownCampaign(campaign_id)
        drawn = await self._rows.drawn_page(campaign_id, after, limit, arm, kept_back)
        responses = await self._persons.responses(campaign, [one.row for one in drawn])
        # Asked last, so that nobody is shown who was restricted meanwhile.
        answering = await self._people.asked([one.row.customer_id for one in drawn])
        restricted = {one for one, profile in answering.items() if profile.restricted}
        return [
            Seen(response, standing(one), one.note.due, one.note.why, one.row.customer_id in restricted)
            for one, response in zip(drawn, responses, strict=True)
        ]


def standing(one: Drawn) -> Standing:
    """How far it is with contacting a customer. Who was contacted and is to be again, or not, stands as of now."""
    if one.row.arm == "control":
        return "held-out"
    if not one.told:
        return "untold"
    if one.note.due is not None:
        return "waiting"
    return "contacted" if one.note.why is None else "withheld"
