"""Persons of whom one customer is held out of a campaign and another was to be contacted: they are not, as long as they are one.

Two customers of one campaign may be found to be one after it was drawn. What was told of the one to be contacted is then told
again, as of somebody held out; and as it was drawn, once they are two again. A merge and a launch that meet are both right: what
has not been told yet is told with the links of that moment, and each writes what the other has read (`moved`, the campaign).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from services.campaigns.domain.campaign import Campaign, held_out_with
from services.campaigns.handlers.campaigns import Selection
from shared.clock import Clock
from shared.contracts.campaigns import CAMPAIGNS, CustomerSelected
from shared.links import Tree
from shared.messaging import Unit


class Drawn(NamedTuple):
    """A customer of a campaign, and with whom they were last told to be held out."""

    row: Selection
    held_out_with: str | None = None
    told: bool = True


class Rows(Protocol):
    """Where campaigns' customers are kept."""

    async def open(self, now: datetime, session: Any) -> list[Campaign]:
        """Those that are drawn, and whose window is not over."""
        ...

    async def drawn(self, campaign_id: str, customer_ids: Collection[str], session: Any) -> list[Drawn]: ...

    async def hold(self, campaign_id: str, held: Mapping[str, str | None], session: Any) -> None:
        """Keep what is told of these customers, and write the campaign."""
        ...

    async def moved(self, session: Any) -> None:
        """Links have, or a draw is complete: two who write so at once meet."""
        ...


class Links(Protocol):
    async def trees(self, customers: Collection[str], session: Any) -> Sequence[Tree]: ...


class Holding:
    def __init__(self, rows: Rows, links: Links, clock: Clock) -> None:
        self._rows = rows
        self._links = links
        self._clock = clock

    async def follow(self, unit: Unit, trees: Mapping[str, Iterable[str]]) -> None:
        """Links have moved: tell anew of those customers of open campaigns of whom something else holds than was told."""
        await self._rows.moved(unit.session)
        everybody = {one for members in trees.values() for one in members}
        for campaign in await self._rows.open(await self._clock.now(unit.session), unit.session):
            drawn = {
                one.row.customer_id: one
                for one in await self._rows.drawn(campaign.campaign_id, everybody, unit.session)
            }
            standing = _standing({one: known.row for one, known in drawn.items()}, trees.values())
            changed = {one: by for one, by in standing.items() if drawn[one].told and drawn[one].held_out_with != by}
            # Also what is still to be told has changed with a link: who is telling must look again.
            if drawn:
                await self._rows.hold(campaign.campaign_id, changed, unit.session)
            for one, by in changed.items():
                at, _ = campaign.window()
                unit.publish(CAMPAIGNS, selected(campaign, drawn[one].row, by), key=one, time=at)

    async def tell(self, unit: Unit, campaign: Campaign, rows: Sequence[Selection]) -> None:
        """Tell of a chunk of a campaign's customers."""
        at, _ = campaign.window()
        held = await self._held(campaign.campaign_id, rows, unit.session)
        for row in rows:
            unit.publish(CAMPAIGNS, selected(campaign, row, held.get(row.customer_id)), key=row.customer_id, time=at)
        if held:
            await self._rows.hold(campaign.campaign_id, held, unit.session)

    async def _held(self, campaign_id: str, rows: Sequence[Selection], session: Any) -> dict[str, str]:
        trees = await self._links.trees([row.customer_id for row in rows], session)
        if not trees:
            return {}
        everybody = {one for tree in trees for one in tree.members}
        drawn = {one.row.customer_id: one.row for one in await self._rows.drawn(campaign_id, everybody, session)}
        standing = _standing(drawn, [tree.members for tree in trees])
        return {row.customer_id: by for row in rows if (by := standing.get(row.customer_id))}


def _standing(drawn: Mapping[str, Selection], trees: Iterable[Iterable[str]]) -> dict[str, str | None]:
    """Of each customer of the campaign, with whom they are held out against the draw."""
    standing: dict[str, str | None] = {}
    for members in trees:
        standing |= held_out_with({one: drawn[one].arm for one in members if one in drawn})
    return standing


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
