"""Documents of what is matched, and what they are in the service: each reads back as what was written."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from services.contacts.domain.matching.evidence import Weights
from services.contacts.domain.matching.explain import Explanation, Reason
from services.contacts.domain.matching.frequencies import Frequencies
from services.contacts.domain.matching.proposals import Knowledge, Limits
from services.contacts.domain.matching.record import FIELDS, Record
from services.contacts.handlers.proposals import Decided, Kept, Model, Pair, Proposal, Wanted


def record_row(kept: Kept) -> dict[str, Any]:
    record = kept.record
    row: dict[str, Any] = {
        "_id": kept.customer,
        "party": record.party,
        "values": list(record.values),
        "keys": record.keys,
        "mark": kept.mark,
    }
    lists = {name: list(getattr(record, name)) for name in ("phones", "emails", "identifiers")}
    lists |= {"places": [list(one) for one in record.places], "members": list(kept.members)}
    return row | {name: held for name, held in lists.items() if held} | ({"whole": record.whole} if record.keys else {})


def read_record(row: Mapping[str, Any]) -> Kept:
    # Without a step more than needed: some dozens are read for each contact that is matched.
    phones, emails, identifiers = row.get("phones", ()), row.get("emails", ()), row.get("identifiers", ())
    places = tuple([(a, b, c, d) for a, b, c, d in row.get("places", ())])
    record = Record(row["party"], tuple(row["values"]), tuple(phones), tuple(emails), tuple(identifiers), places)
    return Kept(row["_id"], record, tuple(row.get("members", ())), row["mark"])


def proposal_row(proposal: Proposal) -> dict[str, Any]:
    """Without its name."""
    why = proposal.why
    return {
        "customers": list(proposal.customers),
        "probability": proposal.probability,
        "reasons": [vars(one) for one in why.reasons] if why else [],
        "rules": list(why.rules) if why else [],
        "identifiers": list(proposal.identifiers),
        "seen_at": proposal.seen_at,
        "found": proposal.found,
    }


def read_pair(row: Mapping[str, Any]) -> Pair:
    why = Explanation(tuple(Reason(**one) for one in row["reasons"]), tuple(row["rules"])) if row["reasons"] else None
    one, other = row["customers"]
    proposal = Proposal((one, other), row["probability"], why, tuple(row["identifiers"]), row["seen_at"], row["found"])
    return Pair(row["_id"], proposal, Decided(**row["decided"]) if "decided" in row else None)


def read_wanted(row: Mapping[str, Any] | None) -> Wanted:
    return Wanted(Limits(row["automatic"], row["review"]), row["revision"]) if row else Wanted(Limits())


def knowledge_row(knowledge: Knowledge) -> dict[str, Any]:
    weights, frequencies = knowledge.weights, knowledge.frequencies
    return {
        "fields": [one.name for one in weights.fields],
        "m": [one.tolist() for one in weights.m],
        "u": [one.tolist() for one in weights.u],
        "prior": weights.prior,
        "household": weights.household,
        "matches": weights.matches,
        "partners": weights.partners,
        "doubts": list(weights.doubts),
        "values": [list(one) for one in frequencies.shares],
        "shares": [list(one.values()) for one in frequencies.shares],
        "rare": list(frequencies.rare),
        "unit": list(frequencies.unit),
        "records": knowledge.records,
    }


def read_knowledge(party: str, row: Mapping[str, Any]) -> Knowledge | None:
    """None, if it is of fields that are no longer those that are compared."""
    fields = FIELDS[party]
    if row["fields"] != [one.name for one in fields]:
        return None
    m, u = (tuple(np.array(one) for one in row[name]) for name in ("m", "u"))
    weights = Weights(
        fields, m, u, row["prior"], row["household"], row["matches"], row["partners"], tuple(row["doubts"])
    )
    shares = tuple(dict(zip(*of_field, strict=True)) for of_field in zip(row["values"], row["shares"], strict=True))
    return Knowledge(weights, Frequencies(shares, tuple(row["rare"]), tuple(row["unit"])), row["records"])


def read_model(row: Mapping[str, Any] | None) -> Model:
    if row is None:
        return Model(0, {})
    read = {party: read_knowledge(party, one) for party, one in row["of_party"].items()}
    return Model(row["_id"], {party: one for party, one in read.items() if one is not None})
