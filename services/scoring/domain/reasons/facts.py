"""All facts about a customer that may have moved a score."""

from collections.abc import Iterator
from dataclasses import replace

from services.scoring.domain.reasons import spends, visits
from services.scoring.domain.reasons.fact import Among, Code, Fact
from services.scoring.domain.reasons.situation import Signal, Situation
from services.scoring.domain.reasons.words import ago, part, times

SEASONAL = 0.1
"""A season that moves what is expected by less needs no word."""
SIGNAL_WORDS: dict[Signal, tuple[Code, str]] = {
    "payment-failed": ("payment-failed", "payment failed"),
    "complaint": ("complained", "complained"),
    "return": ("returned-goods", "returned goods"),
}


def facts(before: Situation | None, after: Situation, among: Among) -> Iterator[Fact]:
    """All that may be said. `before`: when the score was told last; None if it never was, or if all of it is wanted.

    What was so before has not moved the score since: how much somebody spends is no news when only time has passed.
    """
    bought = before is None or after.purchases.days != before.purchases.days
    if before is not None and not before.purchases.days:
        text = f"first purchase {ago(after.today - after.purchases.first_day)}"
        yield Fact("first-purchase", text, {"days": after.today - after.purchases.first_day}, None)
    else:
        yield from visits.silence(after)
    if before is not None and before.purchases.days and bought:
        yield from visits.change(before.purchases, after)
    if bought:
        yield from spends.spend(after, among)
        yield from spends.last_spend(after, among)
    told = {fact.code for fact in visits.pace(before)} if before is not None and before.purchases.days else set()
    yield from (fact for fact in visits.pace(after) if fact.code not in told)
    yield from _signals(before, after)
    yield from _season(after)


def _season(after: Situation) -> Iterator[Fact]:
    """Of the whole base, by more than a tenth."""
    if abs(after.season - 1.0) > SEASONAL:
        code: Code = "high-season" if after.season > 1.0 else "low-season"
        more = "more" if after.season > 1.0 else "less"
        text = f"customers buy about {part(abs(after.season - 1.0))} {more} than usual in the time to come"
        yield Fact(code, text, {"season": round(after.season, 3)}, replace(after, season=1.0))


def _signals(before: Situation | None, after: Situation) -> Iterator[Fact]:
    for signal, (code, words) in SIGNAL_WORDS.items():
        now, was = after.signals.get(signal, 0), before.signals.get(signal, 0) if before else 0
        if now > was:
            without = replace(after, signals={**after.signals, signal: was})
            yield Fact(code, f"{words} {times(now)}", {"times": now, "times_before": was}, without)
