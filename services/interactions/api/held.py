"""What interactions holds on a customer: the history, with the lines of orders."""

from collections.abc import Sequence

from services.interactions.api.history import Entries
from services.interactions.api.history_bodies import history_item
from shared.held import Held, Piece, Section
from shared.http import encode_moment, moment_and_place

ABOUT = (
    "What happened between you and us, the newest first: contacts, visits, orders with their lines, returns, cancellations, "
    "contracts. Events that could not be read name nobody, so those are not in here."
)


def held(entries: Entries) -> Held:
    async def read(customers: Sequence[str], place: str | None, limit: int) -> Piece:
        found = await entries.of_customer(customers, kind=None, after=moment_and_place(place), limit=limit)
        last = found[-1] if len(found) == limit else None
        return [history_item(entry) for entry in found], encode_moment(last.at, last.name) if last else None

    return Held("interactions", [Section("history", ABOUT, read)])
