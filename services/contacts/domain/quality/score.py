"""How good the data of one contact are: a score of 0 to 100, and what would make it better.

Five of the dimensions that DAMA UK names ("The six primary dimensions for data quality assessment", 2013); accuracy, the
sixth, nobody can tell without asking the customer. Each is a share of 0 to 1. What cannot be judged, because there is
nothing, counts in completeness only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from services.contacts.domain.following import standing_faults
from services.contacts.domain.identities import normalised
from services.contacts.domain.quality.values import WORDS, Judged, holding, judged, numbers_of
from services.contacts.domain.survivorship import Known
from services.contacts.domain.values.value import Verdict
from shared.contracts.contacts import Contact
from shared.contracts.fact import Identifier

Dimension = Literal["completeness", "validity", "freshness", "uniqueness", "consistency"]

WEIGHTS: dict[Dimension, float] = {
    "completeness": 0.35,
    "validity": 0.30,
    "consistency": 0.15,
    "freshness": 0.10,
    "uniqueness": 0.10,
}
"""Whom we cannot reach at all, for want of data or because they are wrong, weighs two thirds; what casts doubt on them
weighs the rest. A judgement and no measurement: it orders the work of those who mend, and no decision hangs on it."""

SHARE: dict[Verdict, float] = {"valid": 1.0, "plausible": 0.9, "doubtful": 0.4, "invalid": 0.0}
"""Steps of an order, not chances. A step set 0.1 otherwise moves a whole record by 3 of 100 at most."""

STILL_TRUE_AFTER_A_YEAR = 0.9
"""About one person in ten moves house within a year (US Census Bureau, CPS Historical Migration, table A-1: 8 to 13 %
in 2008 to 2021); telephone and e-mail are taken to age alike."""

WANTED: dict[str, dict[str, int]] = {
    "person": {"name": 3, "email": 2, "phone": 2, "address": 2, "language": 1, "consents": 1},
    "organisation": {"name": 3, "email": 2, "phone": 2, "address": 2, "number": 2, "owner": 1},
    "household": {"name": 2, "address": 3, "email": 1, "phone": 1, "consents": 1},
}
"""What to know of whom, and how much it matters: to say who it is 3, a way to reach them 2, how to speak to them 1.
A household is its address; of an organisation a number says which one it is, and somebody looks after it."""

AGEING = ("name", "email", "phone", "address")
CONTRADICTIONS = {"postal-code-pattern", "postal-code-elsewhere", "unknown-region", "legal-form"}
"""Reasons that say that two things we were told do not fit: these count as consistency, and not as validity too."""

OLD = STILL_TRUE_AFTER_A_YEAR**3
YEAR_SECONDS = 365.25 * 86_400


class Finding(NamedTuple):
    """What keeps the score below 100."""

    dimension: Dimension
    field: str
    reason: str

    @property
    def words(self) -> str:
        return WORDS[self.reason]


@dataclass(frozen=True)
class Quality:
    """`shares` has the dimensions that could be judged, each 0 to 1; `score` is their weighted mean, 0 to 100."""

    score: int
    shares: dict[Dimension, float]
    findings: list[Finding]
    values: list[Judged]


def quality(known: Known, now: datetime, country: str | None = None) -> Quality:
    """The quality of a contact's data at a time. `country` as in `survivorship.fold`."""
    values = list(judged(known, now, country))
    findings: list[Finding] = []
    judgements: dict[Dimension, float | None] = {
        "completeness": _completeness(known.contact, findings),
        "validity": _validity(values, standing_faults(known), findings),
        "consistency": _consistency(known.contact, values, findings),
        "freshness": _freshness(known, now, findings),
        "uniqueness": _uniqueness(known, findings),
    }
    shares = {dimension: share for dimension, share in judgements.items() if share is not None}
    weight = sum(WEIGHTS[dimension] for dimension in shares)
    score = sum(WEIGHTS[dimension] * share for dimension, share in shares.items()) / weight
    return Quality(round(100 * score), shares, findings, values)


def _completeness(contact: Contact, findings: list[Finding]) -> float:
    wanted = WANTED[contact.party]
    there = {field: bool(getattr(contact, field)) for field in wanted if field != "number"}
    there |= {"number": any(numbers_of(contact))} if "number" in wanted else {}
    findings += [Finding("completeness", field, "missing") for field, is_there in there.items() if not is_there]
    return sum(wanted[field] for field, is_there in there.items() if is_there) / sum(wanted.values())


def _validity(values: Iterable[Judged], kept_out: Mapping[str, str], findings: list[Finding]) -> float | None:
    of_itself = [value for value in values if value.reason not in CONTRADICTIONS]
    findings += [Finding("validity", value.field, value.reason) for value in of_itself if value.verdict != "valid"]
    findings += [Finding("validity", f"attributes.{name}", reason) for name, reason in sorted(kept_out.items())]
    return _mean([*(SHARE[value.verdict] for value in of_itself), *(SHARE["invalid"] for _ in kept_out)])


def _consistency(contact: Contact, values: list[Judged], findings: list[Finding]) -> float | None:
    """Of the pairs that can be held against each other, those that fit."""
    fits: list[bool] = []
    for value in values:
        if value.field in {"name", "address", "addresses"} and value.verdict != "invalid":
            fits.append(value.reason not in CONTRADICTIONS)
            if not fits[-1]:
                findings.append(Finding("consistency", value.field, value.reason))
    home = contact.address.country if contact.address else None
    for value in values:
        if home and value.country and value.field in {"phone", "phones", "number"}:
            fits.append(value.country == home)
            if not fits[-1]:
                reason = "number-elsewhere" if value.field == "number" else "phone-elsewhere"
                findings.append(Finding("consistency", value.field, reason))
    return _mean([float(fit) for fit in fits])


def _freshness(known: Known, now: datetime, findings: list[Finding]) -> float | None:
    said = {field: known.said[field] for field in AGEING if field in known.said and getattr(known.contact, field)}
    newest = {
        "phones": max((one.said_at for one in holding(known.contact.phones, now)), default=None),
        "emails": max((one.said_at for one in holding(known.contact.emails, now)), default=None),
        "addresses": max((one.said_at for one in holding(known.contact.addresses, now)), default=None),
    }
    said |= {field: moment for field, moment in newest.items() if moment is not None}
    still = {field: STILL_TRUE_AFTER_A_YEAR ** _years(moment, now) for field, moment in said.items()}
    findings += [Finding("freshness", field, "old") for field, share in still.items() if share < OLD]
    return _mean(list(still.values()))


def _years(moment: datetime, now: datetime) -> float:
    """A channel's clock may run ahead of ours: what is said tomorrow is as fresh as can be."""
    return max(0.0, (now - moment).total_seconds() / YEAR_SECONDS)


def _uniqueness(known: Known, findings: list[Finding]) -> float | None:
    """E-mail and telephone identify, unless they identify somebody else already: then they are not among our own."""
    own = {str(one) for one in known.contact.identifiers}
    alone = []
    for scheme in ("email", "phone"):
        value = getattr(known.contact, scheme)
        if value and scheme not in known.chosen:
            alone.append(str(normalised(Identifier(scheme=scheme, value=value))) in own)
            if not alone[-1]:
                findings.append(Finding("uniqueness", scheme, "shared"))
    return _mean([float(one) for one in alone])


def _mean(shares: list[float]) -> float | None:
    return sum(shares) / len(shares) if shares else None
