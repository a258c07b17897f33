"""Persons of whom one customer is held out of a campaign and another was to be contacted: they are not, as long as they are one.

Two customers of one campaign may be found to be one after it was drawn. What was told of the one to be contacted is then told
again, as of somebody held out; and as it was drawn, once they are two again, if they may be contacted then. A merge and a launch that
meet are both right: what has not been told yet is told with the links of that moment, and each writes what the other has read
(`moved`, the campaign).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from services.campaigns.domain.campaign import Campaign, held_out_with
from services.campaigns.domain.handover import Why
from services.campaigns.handlers.campaigns import Selection
from services.campaigns.handlers.handing import Drawn, Handing, Note, selected
from shared.clock import Clock
from shared.contracts.campaigns import CAMPAIGNS
from shared.links import Tree
from shared.messaging import Unit


class Rows(Protocol):
    """Where campaigns' customers are kept."""

    async def open(self, now: datetime, session: Any) -> list[Campaign]:
        """Those that are drawn, and whose window is not over."""
        ...

    async def drawn(self, campaign_id: str, customer_ids: Collection[str], session: Any) -> list[Drawn]: ...

    async def note(self, campaign_id: str, notes: Mapping[str, Note], contacted: int, session: Any) -> None:
        """Keep what is noted of these customers, count so many more as contacted, and write the campaign in any case."""
        ...

    async def moved(self, session: Any) -> None:
        """Links have, or a draw is complete: two who write so at once meet."""
        ...


class Links(Protocol):
    async def trees(self, customers: Collection[str], session: Any) -> Sequence[Tree]: ...


class Holding:
    def __init__(self, rows: Rows, links: Links, handing: Handing, clock: Clock) -> None:
        self._handing = handing
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
            changed = {
                one: by for one, by in standing.items() if drawn[one].told and drawn[one].note.held_out_with != by
            }
            held = {one: by for one, by in changed.items() if by}
            # Also what is still to be told has changed with a link: who is telling must look again.
            if drawn:
                await self._hold(unit, campaign, [drawn[one] for one in held], held)
            if freed := [drawn[one] for one, by in changed.items() if not by]:
                await self._handing.hand_over(unit, campaign, freed)

    async def tell(self, unit: Unit, campaign: Campaign, rows: Sequence[Selection]) -> None:
        """Tell of a chunk of a campaign's customers."""
        held = await self._held(campaign.campaign_id, rows, unit.session)
        at, _ = campaign.window()
        control = [row for row in rows if row.arm == "control"]
        for row in control:
            unit.publish(CAMPAIGNS, selected(campaign, row), key=row.customer_id, time=at)
        treatment = [Drawn(row, told=False) for row in rows if row.arm == "treatment"]
        if held:
            await self._hold(unit, campaign, [one for one in treatment if one.row.customer_id in held], held)
        await self._handing.hand_over(unit, campaign, [one for one in treatment if one.row.customer_id not in held])

    async def _hold(self, unit: Unit, campaign: Campaign, drawn: Sequence[Drawn], held: Mapping[str, str]) -> None:
        """Tell of those drawn to be contacted that they are not, as long as they are one with somebody held out."""
        at, _ = campaign.window()
        notes: dict[str, Note] = {}
        for one in drawn:
            customer = one.row.customer_id
            unit.publish(CAMPAIGNS, selected(campaign, one.row, held[customer]), key=customer, time=at)
            why: Why | None = None if one.contacted else "held-out"
            notes[customer] = Note(held[customer], why=why, contacted=one.contacted)
        await self._rows.note(campaign.campaign_id, notes, 0, unit.session)

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
