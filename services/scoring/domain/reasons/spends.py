"""Facts about how much a customer spends on a purchase day."""

from collections.abc import Iterator
from dataclasses import replace

from services.scoring.domain.purchases import Purchases
from services.scoring.domain.reasons.fact import UNUSUAL, Among, Code, Fact, Figures
from services.scoring.domain.reasons.situation import Situation
from services.scoring.domain.reasons.words import compared, money


def spend(after: Situation, among: Among) -> Iterator[Fact]:
    purchases, spends = after.purchases, after.purchases.repeat_spend
    words = None if among.spends_less is None else compared(among.spends_less)
    if spends <= 0 or among.spends_less is None or words is None:
        return
    code: Code = "spends-much" if among.spends_less > 0.5 else "spends-little"
    figures: Figures = {"spend": round(spends, 2), "spends_less": among.spends_less}
    typical = [day._replace(micros=round(among.typical_spend * 1e6)) for day in purchases.days[1:]]
    without = replace(after, purchases=Purchases((purchases.days[0], *typical)))
    yield Fact(code, f"spends {money(spends, among.currency)} a visit, {words}", figures, without)


def last_spend(after: Situation, among: Among) -> Iterator[Fact]:
    *others, last = after.purchases.days
    if len(others) < 2:
        return
    usual = sum(day.micros for day in others[1:]) / len(others[1:])
    if usual <= 0 or last.micros <= 0 or 1 / UNUSUAL < last.micros / usual < UNUSUAL:
        return
    code: Code = "spent-more" if last.micros > usual else "spent-less"
    text = f"spent {money(last.micros / 1e6, among.currency)} last time, usually {money(usual / 1e6, among.currency)}"
    figures: Figures = {"spend": last.micros / 1e6, "usual_spend": round(usual / 1e6, 2)}
    without = Purchases((*others, last._replace(micros=round(usual))))
    yield Fact(code, text, figures, replace(after, purchases=without))
