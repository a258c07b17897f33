"""Handing customers over to those who contact them: judged when it is done, and again each time until it is.

A launch draws its list once, and the consent that somebody was drawn under may be gone when their turn comes. So whoever is to be told
as to be contacted passes here: at the launch, after having waited for quiet hours to end, and when nothing holds them out any more.
Who has to wait is a row with the time at which they are looked at again; whoever dies meanwhile, the row is still there. A step is a
transaction that writes the campaign, so that it never passes a merge, a closing, or another instance unseen.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, tzinfo
from functools import partial
from typing import Any, NamedTuple, Protocol

import structlog

from services.campaigns.domain.campaign import Campaign
from services.campaigns.domain.handover import Wait, Why, not_now
from services.campaigns.domain.profile import Profile
from services.campaigns.handlers.campaigns import Selection
from shared.clock import Clock
from shared.contracts.campaigns import CAMPAIGNS, CustomerSelected
from shared.logging import whereabouts
from shared.messaging import Messaging, Unit

log = structlog.get_logger()


class Note(NamedTuple):
    """What is noted of a customer of a campaign beside the draw. Of those who were simply told nothing is."""

    held_out_with: str | None = None
    due: datetime | None = None
    """When they are looked at again."""
    why: Why | None = None
    """Why they are not told to be contacted."""
    contacted: bool = False
    """They were told to be contacted before that."""


PLAIN = Note()


class Drawn(NamedTuple):
    """A customer of a campaign, and what is noted of them."""

    row: Selection
    note: Note = PLAIN
    told: bool = True

    @property
    def contacted(self) -> bool:
        """Whether they were ever told to be contacted; of those drawn to be so who were told of at all."""
        return self.told and (self.note.contacted or (self.note.due is None and self.note.why is None))


class Rows(Protocol):
    """Where campaigns' customers are kept."""

    async def note(self, campaign_id: str, notes: Mapping[str, Note], contacted: int, session: Any) -> None:
        """Keep what is noted of these customers, count so many more as contacted, and write the campaign in any case."""
        ...

    async def resting(self) -> bool:
        """Whether profiles are being made anew, and say nothing yet."""
        ...

    async def next_due(self, now: datetime, besides: Collection[str]) -> str | None:
        """The campaign, none of these, of somebody whose time has come."""
        ...

    async def take_due(
        self, campaign_id: str, now: datetime, limit: int, session: Any
    ) -> tuple[Campaign, list[Drawn]]: ...


class People(Protocol):
    async def asked(self, customer_ids: Collection[str], session: Any) -> dict[str, Profile]:
        """As whom each is asked whether they may be contacted: themselves, or the survivor. Who is not known is not in it."""
        ...


class Handing:
    def __init__(self, rows: Rows, people: People, clock: Clock, usual_zone: tzinfo) -> None:
        self._rows = rows
        self._people = people
        self._clock = clock
        self._usual_zone = usual_zone

    async def hand_over(self, unit: Unit, campaign: Campaign, customers: Sequence[Drawn]) -> None:
        """Tell those who may be contacted now. The others are told nothing: they wait, or are withheld."""
        now = await self._clock.now(unit.session)
        at, _ = campaign.window()
        people = await self._people.asked([one.row.customer_id for one in customers], unit.session)
        notes: dict[str, Note] = {}
        contacted = 0
        for one in customers:
            customer = one.row.customer_id
            against = not_now(campaign, people.get(customer), now, self._usual_zone)
            if against is None:
                unit.publish(CAMPAIGNS, selected(campaign, one.row), key=customer, time=at)
                contacted += not one.contacted
                after = PLAIN
            elif isinstance(against, Wait):
                after = Note(due=against.until, contacted=one.contacted)
            else:
                after = Note(why=against, contacted=one.contacted)
            if after != one.note:
                notes[customer] = after
        await self._rows.note(campaign.campaign_id, notes, contacted, unit.session)


class Waiting:
    """Those who wait, from the moment that their time has come."""

    def __init__(self, messaging: Messaging, rows: Rows, handing: Handing, clock: Clock, chunk: int = 1000) -> None:
        self._messaging = messaging
        self._rows = rows
        self._handing = handing
        self._clock = clock
        self._chunk = chunk

    async def hand_over_all(self) -> None:
        """Whoever is due. A campaign that fails keeps no other one waiting; it is tried again the next time."""
        failed: set[str] = set()
        while not await self._rows.resting():
            campaign_id = await self._rows.next_due(await self._clock.now(), failed)
            if campaign_id is None:
                return
            try:
                await self._messaging.transact(partial(self._hand_over, campaign_id))
            except Exception as error:  # noqa: BLE001 - those of other campaigns do not wait for it
                name, place = type(error).__name__, whereabouts(error)
                log.error("hand_over_failed", campaign_id=campaign_id, error=name, at=place)
                failed.add(campaign_id)

    async def _hand_over(self, campaign_id: str, unit: Unit) -> None:
        now = await self._clock.now(unit.session)
        campaign, due = await self._rows.take_due(campaign_id, now, self._chunk, unit.session)
        await self._handing.hand_over(unit, campaign, due)


def selected(campaign: Campaign, row: Selection, held_with: str | None = None) -> CustomerSelected:
    """Whoever is held out gets no message, not even by mistake."""
    begin, end = campaign.window()
    arm = "control" if held_with else row.arm
    return CustomerSelected(
        campaign_id=campaign.campaign_id,
        name=campaign.name,
        customer_id=row.customer_id,
        arm=arm,
        channel=campaign.channel,
        message=campaign.message if arm == "treatment" else None,
        selected_at=begin,
        respond_until=end,
        held_out_with=held_with,
    )
