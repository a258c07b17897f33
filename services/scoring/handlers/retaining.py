"""What to do to keep a customer: decided by expected profit, put down, and learnt from once the outcome is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

import numpy as np
import structlog

from services.scoring.domain.purchases import Purchases, day_of
from services.scoring.domain.retention.assignment import Assignment
from services.scoring.domain.retention.catalogue import Catalogue
from services.scoring.domain.retention.decision import AtStake, Decision, Terms, decide
from services.scoring.domain.retention.evidence import Evidence
from services.scoring.domain.retention.learning import taught
from services.scoring.domain.retention.own import Features
from services.scoring.domain.retention.persuasion import Beliefs, beliefs
from services.scoring.domain.retention.reasons import reasons
from services.scoring.handlers.customers import Answer, Readable, answer, answers
from services.scoring.handlers.persuading import Shares
from services.scoring.handlers.scores import Scores
from services.scoring.handlers.valuing import Valuing
from shared.clock import Clock

log = structlog.get_logger()
NO_SEGMENT = "none"
LEAST_ALIVE = 0.05
"""Of a customer who has all but left, what persuasion would win back is not believed to be more than twenty times as much."""
PAGE_DECISIONS = 1_000


class Drawn(NamedTuple):
    """What is put down with a decision that was drawn at random, so that more can be learnt from it than from its segment:
    what was known of the customer, and the shares of customers left alone and drawn for.
    """

    features: Features
    control: float
    exploration: float


class Decided(NamedTuple):
    """A decision, in words too. `recorded`: put down for its month, so that its outcome teaches; else a preview.

    `uplift_version`: of the models that told the customer's own shares, for options whose source is a model.
    """

    decision: Decision
    words: Sequence[str]
    occasion: str
    at: datetime
    recorded: bool
    drawn: Drawn | None = None
    uplift_version: int | None = None


class Due(NamedTuple):
    """A decision whose outcome can be known by now."""

    id: str
    customer_id: str
    decision: Decision
    at: datetime


class Actions(Protocol):
    """The company's catalogue of actions."""

    async def catalogue(self) -> Catalogue: ...

    async def set(self, catalogue: Catalogue) -> None: ...


class Decisions(Protocol):
    """Decisions that were put down, one a customer and occasion, and what came of them."""

    async def record(self, decided: Decided) -> Decided:
        """The one that is put down: another one of the same customer and occasion stays."""
        ...

    async def recorded(self, customer_id: str, occasion: str) -> Decided | None: ...

    async def due(self, until: datetime, limit: int) -> list[Due]:
        """Made until then, without an outcome yet; the oldest first."""
        ...

    async def settle(self, outcomes: Mapping[str, bool]) -> None:
        """By decision, whether the customer stayed."""
        ...

    async def settled(self) -> Evidence:
        """Of all outcomes of exploration."""
        ...


class Profiles(Protocol):
    """What is known of a customer at the moment, besides the score."""

    async def features(self, customer_id: str) -> Features | None: ...


class Persuadable(Protocol):
    """Customers' own shares, by action."""

    async def shares(self, features: Features | None) -> Shares | None: ...


@dataclass
class Retaining:
    actions: Actions
    decisions: Decisions
    customers: Readable
    scores: Scores
    valuing: Valuing
    profiles: Profiles
    persuadable: Persuadable
    assignment: Assignment
    clock: Clock
    horizon_days: int
    evidence: Evidence | None = None
    """As of the last look; None before."""

    async def preview(self, customer_id: str) -> Decided | None:
        """What was decided for this month, or would be now; None of a customer who has bought nothing."""
        now = await self.clock.now()
        return await self._recorded(customer_id, _occasion(now)) or await self._decide(customer_id, now)

    async def decide(self, customer_id: str) -> Decided | None:
        """Put down once a month and customer; asked again, the same."""
        decided = await self.preview(customer_id)
        return decided if decided is None or decided.recorded else await self.decisions.record(decided)

    async def _recorded(self, customer_id: str, occasion: str) -> Decided | None:
        """Whichever of those who are one it was decided for: one person is not kept twice in a month."""
        asked = await answer(self.customers, customer_id)
        for one in [customer_id, *(asked.known.members if asked else ())]:
            if decided := await self.decisions.recorded(one, occasion):
                return decided
        return None

    async def _decide(self, customer_id: str, now: datetime) -> Decided | None:
        customer = await self._at_stake(customer_id)
        if customer is None:
            return None
        catalogue, occasion = await self.actions.catalogue(), _occasion(now)
        # The value at stake is a contribution already.
        terms = Terms(catalogue, self.beliefs(catalogue), self.assignment, 1.0, occasion)
        features = await self.profiles.features(customer_id)
        own = await self.persuadable.shares(features)
        uplift = {action: np.array([share]) for action, share in own.by_action.items()} if own else None
        (decision,) = decide([customer], terms, uplift)
        words = reasons(decision, catalogue.prior, self.scores.currency)
        by_model = own is not None and any(option.source == "model" for option in decision.options)
        version = own.version if own and by_model else None
        return Decided(decision, words, occasion, now, False, self._drawn(decision, features), version)

    def _drawn(self, decision: Decision, features: Features | None) -> Drawn | None:
        """Of nine customers in ten, for whom profit decides, there is nothing to learn: nothing is put down."""
        if features is None or decision.group == "decided":
            return None
        return Drawn(features, self.assignment.control, self.assignment.exploration)

    async def _at_stake(self, customer_id: str) -> AtStake | None:
        """What the customer will bring if they stay: the future's value, less the doubt whether they are still there."""
        score = await self.scores.read(customer_id)
        if score is None or not score.purchases:
            return None
        found = await self.valuing.value(customer_id)
        value = float(found.future) / max(score.p_alive or 1.0, LEAST_ALIVE) if found else 0.0
        return AtStake(customer_id, score.segment or NO_SEGMENT, value)

    def beliefs(self, catalogue: Catalogue) -> dict[str, Beliefs]:
        known = self.evidence or Evidence()
        return {action.name: beliefs(known, action.name, catalogue.prior) for action in catalogue}

    async def learn(self) -> int:
        """Find out what came of decisions that are a horizon old, and take the evidence into use. How many were settled."""
        until, settled = await self.clock.now() - timedelta(days=self.horizon_days + 1), 0
        while due := await self.decisions.due(until, PAGE_DECISIONS):
            known = await answers(self.customers, [one.customer_id for one in due])
            outcomes = {one.id: self._stayed(one, known.get(one.customer_id)) for one in due}
            await self.decisions.settle(outcomes)
            settled += len(outcomes)
        self.evidence = await self.decisions.settled()
        log.info("decisions_settled", settled=settled)
        return settled

    def _stayed(self, due: Due, found: Answer | None) -> bool:
        """Who bought within the horizon, on another day than the decision's."""
        purchases, day = found.known.purchases if found else Purchases(), day_of(due.at)
        return any(day < bought.day <= day + self.horizon_days for bought in purchases.days)


def evidence_of(settled: Sequence[tuple[Decision, bool, int]]) -> Evidence:
    """Of decisions, whether the customer stayed, and how many times that was so."""
    return Evidence.of(
        outcome
        for decision, stayed, times in settled
        for outcome in taught(decision, stayed=stayed)
        for _ in range(times)
    )


def _occasion(now: datetime) -> str:
    """A month: so often a customer is decided about anew."""
    return f"{now:%Y-%m}"
