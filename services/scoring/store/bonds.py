"""How a customer's document says that they are not alone, with what came under their own id."""

from services.scoring.domain.channels import FirstOrder
from services.scoring.domain.merging import Bond, Part
from services.scoring.domain.purchases import Purchases
from services.scoring.handlers import Regrouped
from shared.mongo import Document

ALWAYS_A_WRITE = {"version": 1}
"""Setting what is there already is no write to MongoDB, and so no conflict with whoever writes at the same time."""
OF_A_SCORE = ("row", "ranks", "due", "first", "came", "purchases", "money", "value", "segment", "told")
"""What of a document somebody without a score does not have."""


def bond_of(document: Document) -> Bond | None:
    if "bond" not in document:
        return None
    said = document["bond"]
    own = Part(Purchases.unpack(said["days"]), FirstOrder._make(said["first"]) if said["first"] else None)
    return Bond(own, said["merged_into"], tuple(said["members"]), said.get("hidden", False))


def regrouping(one: Regrouped, withdrawn_at: int | None) -> Document:
    """Nothing is left of a score that was withdrawn but its moment, before which none must be told again."""
    change: Document = {"$set": {}, "$unset": {}, "$inc": ALWAYS_A_WRITE}
    if one.bond:
        own = {"days": one.bond.own.purchases.pack(), "first": one.bond.own.first}
        others = {"merged_into": one.bond.merged_into, "members": one.bond.members}
        change["$set"]["bond"] = own | others | ({"hidden": True} if one.bond.hidden else {})
    else:
        change["$unset"]["bond"] = ""
    if withdrawn_at is not None:
        change["$set"] |= {"days": b"", "as_of": withdrawn_at}
        change["$unset"] |= dict.fromkeys(OF_A_SCORE, "")
    else:
        change["$setOnInsert"] = {"days": b"", "as_of": 0}
    return {operator: fields for operator, fields in change.items() if fields}
