"""The rules of survivorship: which of several statements about one field holds. Pure.

A rule looks at the latest statement of each source, and at nothing else: not at the order of arrival, and not at the clock. So a field
of a contact is one and the same, whoever of those who are one its statements were said of, and in whatever order they came.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.contacts.domain.hearsay import vouched
from services.contacts.domain.known import Candidate

RuleName = Literal["newest", "source-priority", "most-complete"]
RULED_FIELDS = (
    "party", "name", "email", "phone", "language", "address", "name_parts", "time_zone", "owner", "territory",
)  # fmt: skip
RULED_MAPS = ("attributes", "interests", "preferences")
COMPLETABLE = ("name", "name_parts", "address")
"""Fields that have parts."""
RuledField = Annotated[
    str,
    Field(
        pattern=rf"^({'|'.join(RULED_FIELDS)}|({'|'.join(RULED_MAPS)})\.[a-z0-9][a-z0-9._-]{{0,63}})$",
        examples=["name", "attributes.shoe-size"],
    ),
]
MAX_RULES = 30
"""A field with a rule never gives way to others, however long nothing is said of it: this bounds how many of those a contact has."""
MAX_SOURCES = 9
MAX_CANDIDATES = MAX_SOURCES + 1
"""Statements that are kept of one field: of each rank one at least, as well of those who have none."""
Pattern = Annotated[str, Field(pattern=r"^/[^\s*]{0,198}\*?$", examples=["/channels/erp", "/keys/*"])]


class Rule(BaseModel):
    """How it is decided which statement about a field holds. Of statements that are equal by the rule the newest does."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [{"rule": "source-priority", "sources": ["/channels/erp", "/keys/*"], "days": 365}]
        },
    )

    rule: RuleName
    sources: Annotated[
        tuple[Pattern, ...],
        Field(
            max_length=MAX_SOURCES,
            description="The most trusted first; `*` at the end: all that begin so. Others come last.",
        ),
    ] = ()
    days: Annotated[
        int | None,
        Field(
            ge=1,
            le=36_500,
            description="A statement yields to any that was said more than so many days after it. Null: never.",
        ),
    ] = None

    @model_validator(mode="after")
    def only_priority_has_sources(self) -> Self:
        if (self.rule == "source-priority") != bool(self.sources):
            raise ValueError("`sources` is for `source-priority`, and needed there")
        if self.days is not None and self.rule != "source-priority":
            raise ValueError("`days` is for `source-priority`")
        if len(set(self.sources)) < len(self.sources):
            raise ValueError("`sources` names each once")
        return self

    def fits(self, field: str) -> bool:
        """Whether the field can be decided so."""
        return self.rule != "most-complete" or field in COMPLETABLE

    def rank(self, source: str) -> int:
        """How far down the list a source stands; one that is not in it stands below all others."""
        return next((rank for rank, one in enumerate(self.sources) if _named(one, source)), len(self.sources))


Order: TypeAlias = tuple[bool, datetime, str, str, str]
Rules: TypeAlias = Mapping[str, Rule]
"""By field, as `name` or `attributes.shoe-size`. Fields without one are decided by `newest`."""
NEWEST = Rule(rule="newest")


def in_force(rules: Rules) -> dict[str, Rule]:
    """The rules by every place where their fields may stand; an attribute that is sensitive stands in a map of its own."""
    others = {field: rule for field, rule in rules.items() if rule != NEWEST}
    return others | {place: rule for field, rule in others.items() for place in places(field)}


def places(field: str) -> tuple[str, ...]:
    """Where the values of a field may stand in a contact."""
    name, _, code = field.partition(".")
    return (field, f"sensitive.{code}") if name == "attributes" else (field,)


def decided(rule: Rule, said: Iterable[Candidate]) -> tuple[Candidate, tuple[Candidate, ...]]:
    """The statement that holds, and the others that may hold once more is said or the rule is changed.

    Of what is kept after parts of the statements the same is kept as of all of them: which is what lets any order and any
    division among customers who are one end in the same.
    """
    if rule.rule == "newest":
        return max(said, key=order), ()
    kept = _kept(rule, said)
    holds = _by_priority(rule, kept) if rule.rule == "source-priority" else _by_completeness(kept)
    return holds, tuple(sorted((one for one in kept if one is not holds), key=order))


def _kept(rule: Rule, said: Iterable[Candidate]) -> list[Candidate]:
    """The latest of each source: those that are the latest of their rank, and of the others the latest."""
    latest: dict[str, Candidate] = {}
    for one in sorted(said, key=order):
        latest[one.teller.source] = one
    newest_first = sorted(latest.values(), key=order, reverse=True)
    of_rank = {rule.rank(one.teller.source): one for one in reversed(newest_first)}
    others = [one for one in newest_first if of_rank[rule.rank(one.teller.source)] is not one]
    return [*of_rank.values(), *others[: MAX_CANDIDATES - len(of_rank)]]


def _by_priority(rule: Rule, kept: list[Candidate]) -> Candidate:
    newest = max(kept, key=order).at
    # Held against what was said since and not against the clock: a contact changes only when somebody says something.
    standing = [one for one in kept if rule.days is None or newest - one.at <= timedelta(days=rule.days)]
    return max(standing, key=lambda one: (-rule.rank(one.teller.source), order(one)))


def _by_completeness(kept: list[Candidate]) -> Candidate:
    """A removal holds against all that was said before it, till its source says something again."""
    removed = max((one for one in kept if one.value is None), key=order, default=None)
    since = [one for one in kept if removed is None or order(one) > order(removed)]
    return max(since, key=_completeness, default=removed or kept[0])


def _completeness(one: Candidate) -> tuple[bool, int, Order]:
    return vouched(one.teller.source), filled(one.value), order(one)


def filled(value: Any) -> int:
    """How many parts of a value are there: lines and fields of an address, words of a name. Initials are no words."""
    if value is None:
        return 0
    if isinstance(value, BaseModel):
        parts = [one for _, field in value for one in (field if isinstance(field, list) else [field])]
        return sum(bool(part and part.strip()) for part in parts)
    return sum(len(word.strip(".,")) > 1 for word in str(value).split())


def order(one: Candidate) -> Order:
    """Later wins; of two said in the same millisecond the greater text, so that arrival does not decide. A form yields."""
    return vouched(one.teller.source), one.at, canonical(one.value), one.teller.source, one.teller.by or ""


def canonical(value: Any) -> str:
    if value is None:
        return ""
    return value.model_dump_json() if isinstance(value, BaseModel) else json.dumps(value, sort_keys=True)


def _named(pattern: str, source: str) -> bool:
    return source.startswith(pattern[:-1]) if pattern.endswith("*") else source == pattern
