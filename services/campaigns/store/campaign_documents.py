"""Campaigns and their customers as documents, and back.

A customer of a campaign is a row of `selections` with the id `campaign:attempt:customer`; the campaign says which
attempt to draw was completed, so rows of an abandoned one are never seen.
"""

from collections.abc import Callable

from services.campaigns.domain.campaign import Campaign
from services.campaigns.handlers.campaigns import Selection
from services.campaigns.handlers.handing import Note
from services.campaigns.handlers.launching import Lease
from shared.mongo import Document


def held(lease: Lease) -> Document:
    return {"_id": lease.campaign.campaign_id, "state": "launching", "attempt": lease.attempt}


def prefix_of(campaign_id: str, attempt: int) -> str:
    return f"{campaign_id}:{attempt}:"


def end_of(prefix: str) -> str:
    """Just after all that begins with the prefix, which ends in a colon."""
    return prefix[:-1] + ";"


def noted(campaign_id: str, note: Note) -> Document:
    """What is not noted any more is not there any more."""
    kept_back: Document = {"campaign": campaign_id, "due": note.due, "why": note.why}
    fields: Document = {
        "held_out_with": note.held_out_with,
        "kept_back": {name: value for name, value in kept_back.items() if value} if note.due or note.why else None,
        "contacted": note.contacted,
    }
    change: Document = {"$set": {name: value for name, value in fields.items() if value}}
    change["$unset"] = {name: "" for name, value in fields.items() if not value}
    return {operator: names for operator, names in change.items() if names}


def note_of(row: Document) -> Note:
    kept_back = row.get("kept_back", {})
    return Note(row.get("held_out_with"), kept_back.get("due"), kept_back.get("why"), row.get("contacted", False))


def document(campaign: Campaign) -> Document:
    fields = campaign.model_dump(exclude_none=True, exclude={"waiting", "withheld"})
    return {"_id": fields.pop("campaign_id"), **fields}


def campaign_of(document: Document) -> Campaign:
    return Campaign(campaign_id=document["_id"], **{name: value for name, value in document.items() if name != "_id"})


def selection_of(row: Document) -> Selection:
    return Selection(row["customer_id"], row["arm"])


def told_of(campaign: Document) -> Callable[[str], bool]:
    """Whether a customer of it has been told of, which a launch under way does in the order of their ids."""
    if campaign["state"] != "launching":
        return lambda _: True
    told_through: str = campaign["told_through"]
    return lambda customer: customer <= told_through
