"""What somebody is to the company beside a customer: distributor, agent, supplier; several at once. Pure."""

from collections.abc import Iterable
from datetime import datetime

from shared.contracts.parties import Role, RoleClaim
from shared.moments import to_the_millisecond


def roles(claims: Iterable[RoleClaim], source: str, at: datetime) -> list[Role]:
    """What a report says of roles. Times to the millisecond, as MongoDB keeps them."""
    return [
        Role(role=one.role, since=_cut(one.since), until=_cut(one.until), source=source, said_at=at) for one in claims
    ]


def _cut(moment: datetime | None) -> datetime | None:
    return moment and to_the_millisecond(moment)


def merged(held: Iterable[Role], told: Iterable[Role]) -> list[Role]:
    """Of each role what was said last, sorted; of two said in the same millisecond the greater text."""
    latest: dict[str, Role] = {}
    for one in sorted((*held, *told), key=lambda role: (role.said_at, role.model_dump_json())):
        latest[one.role] = one
    return [latest[name] for name in sorted(latest)]


def standing(role: Role, now: datetime) -> bool:
    begun = role.since is None or role.since <= now
    return begun and (role.until is None or role.until > now)
