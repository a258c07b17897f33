"""What contacts are found by beside their names: traits that every contact can have, and fields of a company's own. Pure.

| key | of whom |
|---|---|
| `party=organisation` | which kind of party they are |
| `stage=lapsed` | how far they have come as a customer |
| `role=distributor` | who is one, was or will be; whether it stands is asked on reading |
| `territory=north`, `owner=olga` | whose they are, as it was said |
| `country=DE`, `city=koln` | where their preferred address is; cities without case, accents and script |
| `field.sports=golf` | a value that is a list has this entry |

All of them are in one index; values that are no lists have an index for each field (`store/fields.py`).
"""

import re
import unicodedata
from datetime import datetime
from functools import lru_cache
from typing import Literal, NamedTuple, get_args

from anyascii import anyascii

from services.contacts.domain.fields import Value
from services.contacts.domain.roles import standing
from services.contacts.domain.survivorship import Known
from services.contacts.domain.values.words import APOSTROPHES, SPELT_OUT, WORD, contracted
from shared.contracts.contacts import Contact

Trait = Literal["party", "stage", "role", "territory", "owner", "country", "city"]
TRAITS: tuple[Trait, ...] = get_args(Trait)
MAX_ENTRIES = 500
"""Of all lists of a contact that it is found by: each is a key in an index, and nobody may fill that with one contact."""
LIST = re.compile(r"[a-z0-9][a-z0-9._-]*(,[a-z0-9][a-z0-9._-]*)+")
"""Several codes. Of one alone the value is the entry."""
KEPT_IN_MEMORY = 20_000


class Wanted(NamedTuple):
    """One thing that whoever is found must have: a trait, or a value of a field. `entry`: the value is a list, and has this."""

    place: Literal["traits", "attributes", "sensitive"]
    name: str
    value: Value
    entry: bool = False
    at: datetime | None = None
    """When a role has to stand."""

    @property
    def key(self) -> str:
        """Under which a trait, or an entry of a list, is kept."""
        return f"{self.name}={self.value}" if self.place == "traits" else entry(self.name, self.value)


def entry(field: str, value: Value) -> str:
    return f"field.{field}={value}"


def keys(known: Known) -> list[str]:
    """All that a contact is found by, sorted. None, if it is a part of another."""
    return [] if known.place.root else sorted({*_traits(known.published), *_entries(known.published)})


def _traits(contact: Contact) -> list[str]:
    address = contact.address
    told: dict[Trait, str | None] = {
        "party": contact.party,
        "stage": contact.lifecycle.stage if contact.lifecycle else contact.stage,
        "territory": contact.territory,
        "owner": contact.owner,
        "country": address.country if address else None,
        "city": plain(address.city) if address and address.city else None,
    }
    roles = [f"role={one.role}" for one in contact.roles]
    return [f"{name}={value}" for name, value in told.items() if value] + roles


def _entries(contact: Contact) -> list[str]:
    values = {**contact.attributes, **contact.sensitive}
    lists = [
        (name, value) for name, value in sorted(values.items()) if isinstance(value, str) and LIST.fullmatch(value)
    ]
    return [entry(name, one) for name, value in lists for one in value.split(",")][:MAX_ENTRIES]


@lru_cache(KEPT_IN_MEMORY)
def plain(city: str) -> str:
    """One spelling of a city: `Köln`, `KOELN` and `koln` are `koln`; what has no letters or digits is nothing."""
    lower = unicodedata.normalize("NFKC", APOSTROPHES.sub("", city)).casefold().translate(SPELT_OUT)
    return " ".join(contracted(word) for word in WORD.findall(anyascii(lower).lower()))


def has(contact: Contact, wanted: Wanted) -> bool:
    """Whether a contact, as all of its parts make it, is meant: the rule by which the database finds."""
    if wanted.name == "role" and wanted.at:
        return any(one.role == wanted.value and standing(one, wanted.at) for one in contact.roles)
    if wanted.place == "traits":
        return wanted.key in _traits(contact)
    value = getattr(contact, wanted.place).get(wanted.name)
    return value == wanted.value or (wanted.entry and wanted.key in _entries(contact))
