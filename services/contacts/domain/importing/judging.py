"""What a row would change: what it merely repeats, and how its customer looks before and after. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from services.contacts.domain.survivorship import FIELDS, PUBLISHED
from shared.contracts.channels import ConsentClaim, ContactReported
from shared.contracts.contacts import Consent, Contact, Point

Outcome = Literal["new", "changed", "unchanged", "rejected"]
OUTCOMES: tuple[Outcome, ...] = ("new", "changed", "unchanged", "rejected")
LISTED = ("phones", "emails", "addresses")
SAMPLES = 100
"""Of each outcome, shown with before and after: enough to see whether the mapping is right."""


@dataclass(frozen=True)
class Judged:
    """What became of one row, if it was taken."""

    outcome: Outcome
    customer_id: str
    changed: list[str]
    before: dict[str, Any]
    after: dict[str, Any]


def news(report: ContactReported, published: Contact | None, *, alone: bool = True) -> ContactReported:
    """The report without what it repeats word by word, as a file does that was exported here.

    A number or a consent that was said at the very same time is the same statement, whoever tells it once more. Of several
    who are one, what equals their contact may be another part's, and must not stay with this one once they are parted.
    """
    if published is None:
        return report
    update: dict[str, Any] = {
        name: kept
        for name in LISTED
        if (told := getattr(report, name)) and len(kept := _not_held(told, getattr(published, name))) < len(told)
    }
    consents = [claim for claim in report.consents if not any(_same(claim, held) for held in published.consents)]
    if len(consents) < len(report.consents):
        update["consents"] = consents
    if not alone:
        update |= _of_others(report, published)
    # Where more is known than was said, the stage is what follows from it, and nobody's word.
    if report.stage == published.stage and (published.lifecycle or not alone):
        update["stage"] = None
    return report.model_copy(update=update) if update else report


def _of_others(report: ContactReported, published: Contact) -> dict[str, Any]:
    same: dict[str, Any] = {name: None for name in FIELDS if getattr(report, name) == getattr(published, name)}
    maps: dict[str, Mapping[str, Any]] = {"interests": published.interests, "preferences": published.preferences}
    # Wherever a field wants its values, a file says them as attributes.
    for name, held in {**maps, "attributes": published.attributes | published.sensitive}.items():
        same[name] = {code: value for code, value in getattr(report, name).items() if value != held.get(code)}
    return same


def _not_held(told: Iterable[Any], held: Iterable[Point]) -> list[Any]:
    known = {_said(one) for one in held}
    return [claim for claim in told if claim.said_at is None or _said(claim) not in known]


def _said(one: Any) -> tuple[Any, ...]:
    """A claim, or what is held of one, as it was said."""
    typed = one.typed if isinstance(one.typed, str) else one.typed.model_dump_json()
    times = [moment and int(moment.timestamp() * 1000) for moment in (one.said_at, one.valid_from, one.valid_until)]
    return (one.purpose, typed, getattr(one, "country", None), *times)


def _same(claim: ConsentClaim, held: Consent) -> bool:
    names = ("purpose", "channel", "evidence", "basis", "wording")
    at = [int(one.given_at.timestamp() * 1000) for one in (claim, held)]
    ends = [one.valid_until and int(one.valid_until.timestamp() * 1000) for one in (claim, held)]
    # What has run out since is told again as the grant that it was.
    status = "granted" if held.expired else held.status
    told = all(getattr(claim, name) == getattr(held, name) for name in names)
    return told and claim.status == status and at[0] == at[1] and ends[0] == ends[1]


def outcome_of(before: Contact | None, after: Contact) -> Outcome:
    if before is None:
        return "new"
    return "unchanged" if before.version == after.version else "changed"


def judged(before: Contact | None, after: Contact) -> Judged:
    """What a row has done, by the customer's contact before and after it."""
    outcome = outcome_of(before, after)
    if outcome == "unchanged":
        return Judged(outcome, after.customer_id, [], {}, {})
    changed = [
        name
        for name in PUBLISHED
        if (getattr(before, name) if before else _nothing(after, name)) != getattr(after, name)
    ]
    return Judged(
        outcome,
        after.customer_id,
        changed,
        before.model_dump(mode="json", include=set(changed)) if before else {},
        after.model_dump(mode="json", include=set(changed)),
    )


def _nothing(contact: Contact, name: str) -> Any:
    """What a field is of which nobody has spoken."""
    return type(getattr(contact, name))() if isinstance(getattr(contact, name), list | dict) else None
