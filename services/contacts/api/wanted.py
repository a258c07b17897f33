"""What contacts are asked for beside their names, as it stands in a URL: `stage=lapsed&city=koln&field.tier=gold`."""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import Depends, Query, Request
from pydantic import BaseModel, ConfigDict

from services.contacts.domain.fields import Definition, entries, parsed
from services.contacts.domain.traits import TRAITS, Wanted, plain
from services.contacts.handlers.catalogue import Catalogue
from services.contacts.handlers.seeing import View
from shared.clock import Clock
from shared.contracts.fact import Code, Key
from shared.contracts.parties import PartnerRole, StageName
from shared.http import Problem

PREFIX = "field."
MAX_FIELDS = 5
"""Of a company's own, in one search."""
MAX_WANTED = 20
"""Things in one search: fields, entries of lists, and all else."""


class Traits(BaseModel):
    """What of a contact can be asked for, fields of a company's own apart. Absent: whatever it is."""

    model_config = ConfigDict(frozen=True)

    party: Literal["person", "organisation", "household"] | None
    stage: StageName | None
    role: PartnerRole | None
    territory: Code | None
    owner: Key | None
    country: str | None
    city: str | None


async def _traits(
    party: Annotated[Literal["person", "organisation", "household"] | None, Query()] = None,
    stage: Annotated[StageName | None, Query(description="How far they have come as a customer.")] = None,
    role: Annotated[PartnerRole | None, Query(description="What they are now, beside a customer.")] = None,
    territory: Annotated[Code | None, Query()] = None,
    owner: Annotated[Key | None, Query()] = None,
    country: Annotated[str | None, Query(pattern=r"^[A-Z]{2}$", examples=["DE"])] = None,
    city: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=200,
            description="Of the preferred address, the whole name of it; case, accents and script do not matter.",
            examples=["köln"],
        ),
    ] = None,
) -> Traits:
    return Traits(party=party, stage=stage, role=role, territory=territory, owner=owner, country=country, city=city)


TraitsAsked = Annotated[Traits, Depends(_traits)]


async def wanted_of(
    traits: Traits, request: Request, catalogue: Catalogue, view: View, clock: Clock
) -> Sequence[Wanted]:
    """All that is asked for: traits, and `field.name=value`."""
    asked = [
        (key.removeprefix(PREFIX), text) for key, text in request.query_params.multi_items() if key.startswith(PREFIX)
    ]
    if len(asked) > MAX_FIELDS or len(dict(asked)) < len(asked):
        raise Problem(422, errors=[("query.field", f"at most {MAX_FIELDS} fields, each once")])
    wanted = [one for name, text in asked for one in _of_field(name, text, catalogue, view)]
    for name in TRAITS:
        if (value := getattr(traits, name)) is not None:
            at = await clock.now() if name == "role" else None
            wanted.append(Wanted("traits", name, plain(value) if name == "city" else value, at=at))
    if len(wanted) > MAX_WANTED:
        raise Problem(422, errors=[("query.field", f"at most {MAX_WANTED} values")])
    return wanted


def _of_field(name: str, text: str, catalogue: Catalogue, view: View) -> list[Wanted]:
    definition = catalogue.known.get(name)
    # Who may not see a field must not learn from what is found what it holds, nor that it is there.
    if definition is None or not definition.searchable or not view.may_ask(name):
        raise Problem(422, errors=[(f"query.{PREFIX}{name}", "is no searchable field")])
    try:
        return _values(name, text, definition, secret=name in catalogue.secret())
    except ValueError as error:
        raise Problem(422, errors=[(f"query.{PREFIX}{name}", str(error))]) from None


def _values(name: str, text: str, definition: Definition, *, secret: bool) -> list[Wanted]:
    """Of a list all these entries. Raises ValueError."""
    place: Literal["attributes", "sensitive"] = "sensitive" if secret else "attributes"
    if definition.type == "list":
        return [Wanted(place, name, one, entry=True) for one in entries(definition, text)]
    return [Wanted(place, name, parsed(definition, text))]
