"""What duplicates look like over HTTP: pairs with their reasons, decisions and what became of them, limits, progress."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from services.contacts.domain.matching.explain import Reason
from services.contacts.domain.matching.kinds import Kind
from services.contacts.handlers.proposals import Pair, Proposal
from services.contacts.handlers.seeing import View

Source = Literal["reported", "found"]
Probability = Annotated[float, Field(ge=0, le=1)]

ANN = "019b7a2c-5c00-7d3e-a1b2-0c9d8e7f6a5b"
ANN_AGAIN = "019b7a2c-5c01-7000-8000-5a4b3c2d1e0f"


class ReasonBody(BaseModel):
    """One field's part: `bits` above zero speak for one customer, and each doubles the odds. Values as they were compared."""

    model_config = ConfigDict(from_attributes=True)

    field: str
    words: str
    bits: float
    left: Annotated[str | None, Field(description="Null where it is sensitive and the key lacks `contacts:sensitive`.")]
    right: str | None


class DecisionBody(BaseModel):
    """What was decided: by whom, when and why."""

    model_config = ConfigDict(from_attributes=True)

    state: Literal["merged", "rejected"]
    by: str
    at: datetime
    reason: str | None
    merge_id: str | None


class Duplicate(BaseModel):
    """Two contacts who may be one, and why: reported as one by a channel, found by us, or both."""

    pair: str
    contacts: list[str]
    sources: list[Source]
    probability: Annotated[
        Probability | None, Field(description="That they are one. Null: they have nothing that can be compared.")
    ]
    reasons: Annotated[list[ReasonBody], Field(description="The weightiest first; `left` is of the first contact.")]
    rules: Annotated[list[str], Field(description="What held the probability down.")]
    identifiers: Annotated[list[str], Field(description="What a channel said was one customer's.")]
    unvouched: Annotated[
        list[str],
        Field(description="Of whom a form on the web has spoken: anybody may have said what the two have in common."),
    ]
    seen_at: datetime
    decided: DecisionBody | None = None

    @classmethod
    def of(cls, pair: Pair, view: View, unvouched: Collection[str]) -> Self:
        """As the key may see it. `unvouched`: contacts of whom a form has spoken."""
        proposal = pair.proposal
        why = proposal.why
        said_by: list[tuple[Source, object]] = [("reported", proposal.identifiers), ("found", proposal.found)]
        return cls(
            pair=pair.name,
            contacts=list(proposal.customers),
            sources=[source for source, said in said_by if said],
            probability=proposal.probability,
            reasons=[_seen(one, view) for one in why.reasons] if why else [],
            rules=list(why.rules) if why else [],
            identifiers=[name for name in proposal.identifiers if view.may_ask(name.partition(":")[0])],
            unvouched=[one for one in proposal.customers if one in unvouched],
            seen_at=proposal.seen_at,
            decided=DecisionBody.model_validate(pair.decided) if pair.decided else None,
        )


class Verdict(BaseModel):
    """Why the two are one, or are not."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "Same loyalty card"}]})

    reason: Annotated[str, Field(min_length=1, max_length=1000, description="Kept here, told to nobody.")] | None = None


class OutcomeBody(BaseModel):
    """What became of the pair. `survivor` answers for both, if they are one; `merge_id` takes that back."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [{"pair": f"{ANN}~{ANN_AGAIN}", "outcome": "rejected", "survivor": None, "merge_id": None}]
        },
    )

    pair: str
    outcome: Literal["merged", "rejected"]
    survivor: str | None
    merge_id: str | None


class LimitsBody(BaseModel):
    """Probabilities of one customer from which on something happens by itself."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"automatic": None, "review": 0.2}]})

    automatic: Annotated[
        float | None, Field(ge=0.5, le=1, description="Merged without asking. Null: never, as it is to begin with.")
    ]
    review: Annotated[
        float | None, Field(gt=0, le=1, description="Shown in the queue. Null: only what channels report.")
    ]


class ProgressBody(BaseModel):
    """Whether the queue is all there is: once as many are compared as there are contacts. Until then more may come."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"contacts": 1896, "compared": 1650}]})

    contacts: Annotated[int, Field(description="Those merged into somebody are none of their own.")]
    compared: Annotated[
        int, Field(description="With the weights and limits in force. Fewer for a while after something was learnt.")
    ]


def sensitive_of(proposal: Proposal, view: View) -> list[str]:
    """What is sensitive of a pair: values that are compared, and identifiers that a channel has said."""
    compared = sensitive_fields(proposal.why.reasons, view) if proposal.why else []
    schemes = (name.partition(":")[0] for name in proposal.identifiers)
    return compared + [f"identifiers.{scheme}" for scheme in schemes if scheme in view.sensitive]


def sensitive_fields(reasons: Sequence[Reason], view: View) -> list[str]:
    """Those whose values are compared there."""
    return [code for one in reasons for code in _codes(one) if code in view.sensitive]


def _codes(reason: Reason) -> list[str]:
    """The codes of what a reason shows: an identifier stands behind the name of its attribute."""
    if reason.field == Kind.BIRTH.value:
        return ["birth-date"]
    return (
        [value.partition(" ")[0] for value in (reason.left, reason.right)]
        if reason.field == Kind.IDENTIFIER.value
        else []
    )


def _seen(reason: Reason, view: View) -> ReasonBody:
    shown = ReasonBody.model_validate(reason)
    hidden = not view.open and sensitive_fields([reason], view)
    return shown.model_copy(update={"left": None, "right": None}) if hidden else shown
