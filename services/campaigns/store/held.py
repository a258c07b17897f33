"""What campaigns holds on a customer: the profile that rules look at, orders that may answer a campaign, and its campaigns."""

from collections.abc import Sequence

from services.campaigns.store.campaign_documents import prefix_of
from shared.held import Held, Item, Piece, Section, by_id, having, held_links, whole
from shared.mongo import Database, Document

CAMPAIGNS = 500
"""Campaigns looked through at a time for those that a customer was drawn for."""


def held(database: Database) -> Held:
    profile = by_id(database["profiles"], having("_id"), whole)
    orders = by_id(database["orders"], having("customer_id"), whole)
    return Held(
        "campaigns",
        [
            Section("profile", "What rules that choose customers for campaigns look at.", profile),
            held_links(database),
            Section("orders", "Your orders, by which we see whether a campaign was answered.", orders),
            Section(
                "campaigns",
                "Campaigns that you were drawn for: in `treatment` you were to be contacted, in `control` left in peace to compare.",
                _Drawn(database).read,
            ),
        ],
    )


class _Drawn:
    """The campaigns that customers were drawn for."""

    def __init__(self, database: Database) -> None:
        self._campaigns = database["campaigns"]
        self._selections = database["selections"]

    async def read(self, customers: Sequence[str], place: str | None, limit: int) -> Piece:
        drawn = {"_id": {"$gt": place or ""}, "drawn_in": {"$exists": True}}
        told = {"name": 1, "channel": 1, "message": 1, "launched_at": 1, "respond_until": 1, "drawn_in": 1}
        campaigns = await self._campaigns.find(drawn, told).sort("_id", 1).limit(min(limit, CAMPAIGNS)).to_list(None)
        if not campaigns:
            return [], None
        rows = {prefix_of(one["_id"], one["drawn_in"]) + customer: one for one in campaigns for customer in customers}
        found = self._selections.find({"_id": {"$in": list(rows)}}).sort("_id", 1)
        items = [_drawn(rows[row["_id"]], row) async for row in found]
        return items, campaigns[-1]["_id"]


def _drawn(campaign: Document, row: Document) -> Item:
    told = {name: campaign.get(name) for name in ("name", "channel", "message", "launched_at", "respond_until")}
    drawn: Document = {name: row[name] for name in ("customer_id", "arm", "held_out_with") if name in row}
    kept_back = row.get("kept_back", {})
    names = {"due": "waiting_until", "why": "withheld"}
    drawn |= {shown: kept_back[name] for name, shown in names.items() if name in kept_back}
    return {"campaign": campaign["_id"], **drawn, **told}
