"""The routes of duplicates: the queue of contacts who may be one, what a person decides of it, and the limits."""

from collections.abc import Collection, Sequence
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Path, Request, Response

from services.contacts.api.duplicate_bodies import (
    Duplicate,
    LimitsBody,
    OutcomeBody,
    ProgressBody,
    Verdict,
    sensitive_of,
)
from services.contacts.domain.matching.decide import WrongThresholds
from services.contacts.domain.matching.proposals import Limits
from services.contacts.handlers import Decision, NoSuchPair
from services.contacts.handlers.proposals import Pair, Wanted
from services.contacts.handlers.reviewing import Reviewing
from services.contacts.handlers.seeing import Seeing, View
from shared.http import Cursor, Limit, Page, Problem, bad_cursor, decode_cursor, encode_cursor
from shared.idempotency import TAKES_KEY, Answer, answering, idempotent
from shared.messaging import Messaging, Unit
from shared.security import TAKES_PURPOSE, Principal, require

Reader = Annotated[Principal, Depends(require("contacts:read"))]
Merger = Annotated[Principal, Depends(require("contacts:merge"))]
PairName = Annotated[
    str, Path(pattern=r"^[0-9a-f-]{36}~[0-9a-f-]{36}$", description="The `pair` of an entry of the queue.")
]


class Queue(Protocol):
    """What is read beside the use cases."""

    async def queue(self, after: tuple[float | None, str] | None, limit: int) -> Sequence[Pair]: ...

    async def pair(self, name: str, session: None) -> Pair | None: ...

    async def of_forms(self, customers: Collection[str]) -> set[str]: ...

    async def wanted(self, session: None = None) -> Wanted: ...

    async def compared(self) -> tuple[int, int]: ...


def router(reviewing: Reviewing, queue: Queue, messaging: Messaging, seeing: Seeing) -> APIRouter:
    """The routes; to be included before those that take any word for an id."""
    routes = APIRouter(prefix="/v1/contacts/duplicates", tags=["duplicates"], dependencies=[TAKES_PURPOSE])
    _limits(routes, reviewing, queue, messaging)
    _reading(routes, queue, seeing)
    _deciding(routes, reviewing, messaging)
    return routes


def _limits(routes: APIRouter, reviewing: Reviewing, queue: Queue, messaging: Messaging) -> None:
    @routes.get("/limits", summary="Read from which probability on contacts are shown, or merged")
    async def read_limits(_: Reader) -> LimitsBody:
        return _limits_body(await queue.wanted())

    @routes.put(
        "/limits", response_model=LimitsBody, dependencies=[TAKES_KEY], summary="Set when contacts are shown, or merged"
    )
    async def set_limits(principal: Merger, body: LimitsBody, request: Request) -> Response:
        """All contacts are looked at again, in pieces; what was merged stays so."""
        try:
            limits = Limits(body.automatic, body.review)
        except WrongThresholds as error:
            raise Problem(422, "Invalid limits", errors=[("body.review", str(error))]) from None

        async def change(unit: Unit) -> Answer:
            return Answer(200, _limits_body(await reviewing.want(unit, limits)))

        return await idempotent(request, principal, messaging, change)


def _reading(routes: APIRouter, queue: Queue, seeing: Seeing) -> None:
    @routes.get("", summary="List contacts who may be one, the most probable first")
    async def list_duplicates(principal: Reader, cursor: Cursor = None, limit: Limit = 100) -> Page[Duplicate]:
        """Pairs that nobody has decided: reported by channels, or found within seconds of what was said of them."""
        found = await queue.queue(_place(cursor), limit)
        last = found[-1] if len(found) == limit else None
        next_ = encode_cursor({"probability": last.proposal.probability, "pair": last.name}) if last else None
        return Page(items=await _shown(queue, found, seeing.by(principal)), next=next_)

    @routes.get("/progress", summary="Read how many contacts have been compared")
    async def read_progress(_: Reader) -> ProgressBody:
        compared, contacts = await queue.compared()
        return ProgressBody(contacts=contacts, compared=compared)

    @routes.get("/{pair}", summary="Read a pair of the queue, also when it was decided")
    async def read_duplicate(principal: Reader, pair: PairName) -> Duplicate:
        found = await queue.pair(pair, None)
        if found is None:
            raise NoSuchPair(pair)
        [shown] = await _shown(queue, [found], seeing.by(principal))
        return shown


async def _shown(queue: Queue, pairs: Sequence[Pair], view: View) -> list[Duplicate]:
    """Whoever sees sensitive values is in the audit trail before they see them."""
    told = {pair.name: fields for pair in pairs if (fields := sensitive_of(pair.proposal, view))} if view.open else {}
    if told:
        customers = [one for pair in pairs if pair.name in told for one in pair.proposal.customers]
        await view.note("duplicates", customers, [name for names in told.values() for name in names])
    unvouched = await queue.of_forms({one for pair in pairs for one in pair.customers})
    return [Duplicate.of(pair, view, unvouched) for pair in pairs]


def _deciding(routes: APIRouter, reviewing: Reviewing, messaging: Messaging) -> None:
    @routes.post(
        "/{pair}/accept", response_model=OutcomeBody, dependencies=[TAKES_KEY], summary="Merge two who are one"
    )
    async def accept(principal: Merger, pair: PairName, verdict: Verdict, request: Request) -> Response:
        """Whoever was registered first survives. Accepted again, it is answered as it stands."""
        decision = _decision(principal, verdict)
        change = answering(OutcomeBody, lambda unit: reviewing.accept(unit, pair, decision))
        return await idempotent(request, principal, messaging, change)

    @routes.post(
        "/{pair}/reject", response_model=OutcomeBody, dependencies=[TAKES_KEY], summary="Keep two apart who are not one"
    )
    async def reject(principal: Merger, pair: PairName, verdict: Verdict, request: Request) -> Response:
        """Nobody is asked again, nor of any contact that is merged into one of them. 409 if they are one already."""
        decision = _decision(principal, verdict)
        change = answering(OutcomeBody, lambda unit: reviewing.reject(unit, pair, decision))
        return await idempotent(request, principal, messaging, change)


def _decision(principal: Principal, verdict: Verdict) -> Decision:
    return Decision(f"/keys/{principal.key_id}", verdict.reason)


def _limits_body(wanted: Wanted) -> LimitsBody:
    return LimitsBody(automatic=wanted.limits.automatic, review=wanted.limits.review)


def _place(cursor: str | None) -> tuple[float | None, str] | None:
    if not cursor:
        return None
    value = decode_cursor(cursor)
    probability: Any = value.get("probability")
    name: Any = value.get("pair")
    if not isinstance(name, str) or not isinstance(probability, float | int | None):
        raise bad_cursor()
    return None if probability is None else float(probability), name
