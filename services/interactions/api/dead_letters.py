"""HTTP: the events that no service could take, and sending them back. Lists never show bodies: they may be personal."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from services.interactions.api.dead_letter_bodies import DeadLetterDetails, DeadLetterItem, Id, Status, details, item
from services.interactions.api.positions import ByTime, cut, moment_and_id
from services.interactions.handlers.dead_letters import DeadLetters, Kept, Selection
from shared.contracts.fact import Reason
from shared.http import Cursor, Limit, Page, Problem
from shared.idempotency import TAKES_KEY, Answer, idempotent
from shared.messaging import Messaging, Unit
from shared.security import Principal, require

MOST_REPLAYS = 10_000
"""How many letters one request sends back; `left` says whether to ask again."""
Reader = Depends(require("dead-letters:read"))
Writer = Annotated[Principal, Depends(require("dead-letters:write"))]
Handler = Annotated[str | None, Query(max_length=100, description="The consumer group that refused it.")]


class Shelf(Protocol):
    """What is asked of the store."""

    async def letter(self, letter_id: str, session: Any = None) -> Kept | None: ...

    async def page(
        self, selection: Selection, *, status: str | None, after: tuple[datetime, str] | None, limit: int
    ) -> list[Kept]: ...

    async def by_reason(self, status: str | None) -> dict[str, int]: ...

    async def count_open(self, selection: Selection) -> int: ...


class ReplaySelection(BaseModel):
    """Which open dead letters to send back: those with all of the given properties; without any, all."""

    reason: Reason | None = None
    handler: str | None = None


class Replayed(BaseModel):
    """What was sent back, and what is still open of the same selection."""

    replayed: int
    left: int


def router(shelf: Shelf, dead_letters: DeadLetters, messaging: Messaging) -> APIRouter:
    """The routes of `/v1/dead-letters`."""
    router = APIRouter(tags=["dead letters"], prefix="/v1/dead-letters")
    _reading(router, shelf)
    _replaying(router, shelf, dead_letters, messaging)
    return router


def _reading(router: APIRouter, shelf: Shelf) -> None:
    @router.get("", summary="Dead letters, newest first", dependencies=[Reader])
    async def list_dead_letters(
        reason: Reason | None = None,
        handler: Handler = None,
        status: Status | None = None,
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> Page[DeadLetterItem]:
        after = moment_and_id(cursor)
        found = await shelf.page(Selection(reason, handler), status=status, after=after, limit=limit + 1)
        page, following = cut(found, limit, lambda last: ByTime(at=last.kept_at, id=last.id))
        return Page(items=[item(kept) for kept in page], next=following)

    @router.get("/summary", summary="How many there are for each reason", dependencies=[Reader])
    async def summarise_dead_letters(status: Status | None = None) -> dict[Reason, int]:
        return {Reason(reason): letters for reason, letters in (await shelf.by_reason(status)).items()}

    @router.get("/{letter_id}", summary="One dead letter with its body", dependencies=[Reader])
    async def get_dead_letter(letter_id: Id) -> DeadLetterDetails:
        return details(_found(await shelf.letter(letter_id)))


def _replaying(router: APIRouter, shelf: Shelf, dead_letters: DeadLetters, messaging: Messaging) -> None:
    @router.post(
        "/{letter_id}/replay",
        status_code=202,
        response_model=DeadLetterItem,
        summary="Send one back to who refused it",
        dependencies=[TAKES_KEY],
    )
    async def replay_dead_letter(letter_id: Id, request: Request, principal: Writer) -> Response:
        async def change(unit: Unit) -> Answer:
            kept = _found(await dead_letters.replay(unit, letter_id, principal.key_id))
            return Answer(202, item(kept))

        return await idempotent(request, principal, messaging, change)

    @router.post("/replay", status_code=202, summary="Send all open ones of a selection back to who refused them")
    async def replay_dead_letters(chosen: ReplaySelection, principal: Writer) -> Replayed:
        # Only those of this moment: what is refused again at once must not be sent back again and again.
        now = await messaging.transact(_now)
        selection = Selection(chosen.reason, chosen.handler, kept_until=now)
        replayed = 0
        while replayed < MOST_REPLAYS:
            more = await messaging.transact(lambda unit: dead_letters.replay_some(unit, selection, principal.key_id))
            replayed += more
            if not more:
                break
        return Replayed(replayed=replayed, left=await shelf.count_open(replace(selection, kept_until=None)))


async def _now(unit: Unit) -> datetime:
    return unit.now


def _found(kept: Kept | None) -> Kept:
    if kept is None:
        raise Problem(404, detail="There is no dead letter with this id.")
    return kept
