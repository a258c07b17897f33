"""Customers of campaigns as they are told to be contacted at present, for whoever has lost what they made of it."""

from collections.abc import Mapping
from typing import Any

from services.campaigns.domain.campaign import Campaign
from services.campaigns.handlers.handing import selected
from services.campaigns.store.campaign_documents import campaign_of, end_of, prefix_of, selection_of
from shared.contracts.campaigns import CustomerSelected
from shared.mongo import Document

DRAWN: Document = {"drawn_in": {"$exists": True}}
"""Campaigns that have told of customers, or are about to."""


def as_launched(row: Mapping[str, Any]) -> Campaign:
    """The campaign as its customers were told of it: that it was closed since was told to nobody."""
    return campaign_of(dict(row)).model_copy(update={"closed_at": None})


def contacted(row: Mapping[str, Any]) -> Document:
    """Which rows of a campaign's customers those are: neither held out, nor waiting, nor withheld, nor still to be told."""
    prefix = prefix_of(row["_id"], row["drawn_in"])
    told = {"customer_id": {"$lte": row["told_through"]}} if row["state"] == "launching" else {}
    mine = {"_id": {"$gt": prefix, "$lt": end_of(prefix)}}
    return mine | told | {"arm": "treatment", "held_out_with": None, "kept_back": None}


def told(campaign: Campaign, row: Mapping[str, Any]) -> CustomerSelected:
    """The fact of a row."""
    return selected(campaign, selection_of(dict(row)))
