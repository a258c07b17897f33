"""Which family of models is used, and which would be, over HTTP: the choice, its challengers, and what has drifted."""

from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from services.scoring.domain.drift import Shift
from services.scoring.domain.promotion import Window
from services.scoring.domain.purchases import EPOCH
from services.scoring.domain.rivals import PARETO, SPAN_DAYS, Verdict
from services.scoring.domain.seasonality import Evidence, Found
from services.scoring.handlers import Champion, Choice, Choosing, Contest, Contesting
from services.scoring.handlers.choosing import Outcome
from shared.http import Problem
from shared.security import Principal, require

Reader = Annotated[Principal, Depends(require("scores:read"))]


class ChampionShown(BaseModel):
    """The family in use, since when and why."""

    name: str
    since: datetime
    why: str
    customers: int
    """Of the base that it was chosen for."""


class CandidateShown(BaseModel):
    """`gain`: nats by which leaving explains the base better than nobody leaving."""

    name: str
    log_likelihood: float
    gain: float
    doubt: str | None


class DriftShown(BaseModel):
    """Population stability index since the champion was chosen, and how far that is beyond chance."""

    psi: float
    shift: Shift


class SeasonShown(BaseModel):
    """The season of the year that is expected again, level by level of its four weeks; empty: none, for the reason given.

    `nats` by which levels learnt before told so many `spans` of four weeks better than no season, the `newest` year's alone,
    and how probably years would be so alike by chance. None where there was too little to try it on.
    """

    levels: list[float]
    why: str
    spans: int | None
    nats: float | None
    newest: float | None
    by_chance: float | None


class ChoiceShown(BaseModel):
    """`taken`: the family named is used from now on; `confirmed`: it is in use; `challenged`: it has to prove itself first;
    `doubt`: the base says too little.
    """

    at: datetime
    outcome: Outcome
    customers: int
    purchases_since: date | None
    nominated: str | None
    why: str
    candidates: list[CandidateShown]
    doubts: list[str]
    champion: ChampionShown | None
    drift: dict[str, DriftShown]
    """Of recency, frequency and money, by name."""
    seconds: float
    season: SeasonShown


class WindowShown(BaseModel):
    """`gain`: nats a customer by which the challenger said better who would buy nothing, with its 95 % interval."""

    customers: int
    spans: int
    gain: float
    low: float | None
    high: float | None
    better: bool
    champion_ece: float | None
    challenger_ece: float | None


class GainShown(BaseModel):
    """Of one span: nats a customer, above 0 where the challenger said it better."""

    until: date
    gain: float


class ChallengerShown(BaseModel):
    """`gains` of all spans in which both could be fitted; `windows` of the newest twenty, the newest last."""

    name: str
    can_serve: bool
    """False: held beside the others only, whatever it gains."""
    gains: list[GainShown]
    better: bool
    windows: list[WindowShown]


class CalibrationDriftShown(BaseModel):
    """CUSUM of who kept silent against who was said to, in standard deviations."""

    spans: int
    more_silent: float
    less_silent: float
    alarm: bool


class ContestShown(BaseModel):
    """Spans of `span_days` that do not overlap: all models fitted on what was known before each, held against what came."""

    at: datetime
    champion: ChampionShown
    span_days: int
    challengers: list[ChallengerShown]
    calibration: CalibrationDriftShown
    promoted: str | None
    """Who has taken the champion's place by this contest."""


def choice_routes(choosing: Choosing, contesting: Contesting) -> APIRouter:
    """To be mounted before those of the versions, whose numbers would take these names."""
    routes = APIRouter(prefix="/v1/models", tags=["models"])

    @routes.get("/choice", summary="What the last look for the family of models to use has come to")
    async def read_choice(_: Reader) -> ChoiceShown:
        choice = await choosing.choices.choice()
        if choice is None:
            raise Problem(404, detail="Nobody has looked yet.")
        return _choice(choice)

    @routes.get("/challengers", summary="How the models beside the one in use have done")
    async def read_challengers(_: Reader) -> ContestShown:
        contest = await contesting.read()
        if contest is None:
            raise Problem(404, detail="There has been no contest yet.")
        return _contest(contest)

    return routes


def _champion(one: Champion) -> ChampionShown:
    return ChampionShown(name=one.family.name, since=one.at, why=one.why, customers=one.customers)


def _choice(choice: Choice) -> ChoiceShown:
    since = EPOCH.date() + timedelta(days=choice.first_day) if choice.customers else None
    return ChoiceShown(
        at=choice.at,
        outcome=choice.outcome,
        customers=choice.customers,
        purchases_since=since,
        nominated=choice.nominated.name if choice.nominated else None,
        why=choice.why,
        candidates=[
            CandidateShown(name=name, log_likelihood=nats, gain=gain, doubt=doubt)
            for name, nats, gain, doubt in choice.candidates
        ],
        doubts=list(choice.doubts),
        champion=_champion(choice.champion) if choice.champion else None,
        drift={name: DriftShown(psi=one.psi, shift=one.shift) for name, one in choice.drift.items()},
        seconds=choice.seconds,
        season=_season(choice.season),
    )


def _season(found: Found) -> SeasonShown:
    proof = found.evidence._asdict() if found.evidence else dict.fromkeys(Evidence._fields)
    return SeasonShown(levels=list(found.season.levels), why=found.why, **proof)


def _contest(contest: Contest) -> ContestShown:
    watch = contest.calibration
    return ContestShown(
        at=contest.at,
        champion=_champion(contest.champion),
        span_days=SPAN_DAYS,
        challengers=[_challenger(one) for one in contest.verdicts],
        calibration=CalibrationDriftShown(
            spans=watch.steps, more_silent=watch.above, less_silent=watch.below, alarm=watch.alarm
        ),
        promoted=contest.promoted,
    )


def _challenger(one: Verdict) -> ChallengerShown:
    return ChallengerShown(
        name=one.challenger,
        can_serve=one.challenger != PARETO,
        gains=[GainShown(until=_end(span), gain=gain) for span, gain in one.gains],
        better=one.better,
        windows=[_window(window) for window in one.windows],
    )


def _end(span: int) -> date:
    return EPOCH.date() + timedelta(days=(span + 1) * SPAN_DAYS)


def _window(one: Window) -> WindowShown:
    return WindowShown(
        customers=one.gain.rows,
        spans=one.gain.blocks,
        gain=one.gain.mean,
        low=one.gain.low,
        high=one.gain.high,
        better=one.better,
        champion_ece=one.champion.ece(),
        challenger_ece=one.challenger.ece(),
    )
