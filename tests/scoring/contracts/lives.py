"""Contracts to test with: hypothesis strategies, and a base that lives by known hazards."""

from datetime import UTC, datetime, timedelta
from itertools import count

import numpy as np
from hypothesis import strategies as st

from services.scoring.domain.contracts.facts import ContractFact, Contracts, Kind
from services.scoring.domain.contracts.hazards import Hazards
from services.scoring.domain.fitting import Floats

START = datetime(2021, 1, 31, tzinfo=UTC)
moments = st.integers(0, 900).map(lambda hours: START + timedelta(hours=17 * hours))
kinds = st.sampled_from([Kind.STARTED, Kind.PAYMENT_FAILED, Kind.PAYMENT_RECOVERED, *Kind])
reasons = st.sampled_from(["", "price", "moved", "non-payment"])
facts = st.builds(ContractFact, st.sampled_from(["a", "b"]), moments, kinds, st.integers(0, 10**6).map(str), reasons)


def at(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def fact(kind: Kind, day: str, *, contract: str = "a", reason: str = "") -> ContractFact:
    return ContractFact(contract, at(day), kind, f"{contract}-{kind.name}-{day}", reason)


def simulated(hazards: Hazards, contracts: int, weeks: int, seed: int) -> list[Contracts]:
    """Customers who begin evenly over so many weeks before START, and live by the weekly hazards until then."""
    random = np.random.default_rng(seed)
    return [_life(hazards, str(number), int(random.integers(0, weeks * 7)), random) for number in range(contracts)]


def _life(hazards: Hazards, name: str, days: int, random: np.random.Generator) -> Contracts:
    """Things happen on one of a week's days, in the order that the chain has within a week."""
    begin = START - timedelta(days=days)
    numbers = count()
    told = [ContractFact(name, begin, Kind.STARTED, f"{name}-{next(numbers)}")]
    missing = -1
    for age in range(days // 7 + 1):
        early, late = sorted(random.uniform(0.0, 7.0, 2))

        def tell(kind: Kind, within: float, age: int = age) -> None:
            told.append(ContractFact(name, begin + timedelta(days=7 * age + within), kind, f"{name}-{next(numbers)}"))

        if missing < 0:
            way = _drawn(hazards.active[min(age, len(hazards.active) - 1)], random)
            if way in {0, 1}:
                tell((Kind.CANCELLED, Kind.DIED)[way], early)
                break
            if way == 2:
                tell(Kind.PAYMENT_FAILED, early)
                missing = 0
        if missing >= 0:
            way = _drawn(hazards.failing[min(missing, len(hazards.failing) - 1)], random)
            missing += 1
            if way >= 0:
                tell((Kind.PAYMENT_RECOVERED, Kind.LAPSED, Kind.CANCELLED)[way], late)
                missing = -1
            if way in {1, 2}:
                break
    return Contracts.of(one for one in told if one.at <= START)


def _drawn(ways: Floats, random: np.random.Generator) -> int:
    """One of the ways out, or -1."""
    below = np.cumsum(ways) > random.random()
    return int(below.argmax()) if below.any() else -1
