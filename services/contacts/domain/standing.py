"""What stands of each field of one contact while statements are heard: since when, by whom, and what was said beside it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.contacts.domain.hearsay import vouched
from services.contacts.domain.known import UNKNOWN, Candidate, Known, Teller
from services.contacts.domain.ruling import NEWEST, Rules, canonical, decided

# A contact must fit a database document and a log record, whatever channels send in the course of years.
MAX_ATTRIBUTES = 50
"""As many interests, and as many preferences, beside those that have a rule."""


class Standing:
    """Takes statements about fields, each named by its place: `name`, `attributes.shoe-size`.

    Values stay with whoever holds them: each method is given the one that holds, and answers the one that does from then on.
    """

    def __init__(self, known: Known, rules: Rules) -> None:
        self.said = dict(known.said)
        self.tellers = dict(known.tellers)
        self.also = dict(known.also)
        self.rules = rules

    def hear(self, place: str, held: Any, at: datetime, teller: Teller, value: Any) -> Any:
        """The value that holds after a statement."""
        if place in self.rules:
            return self._decide(place, [*self._candidates(place, held), Candidate(at, teller, value)])
        # Nearly all fields of nearly all companies; `decided` would say the same.
        if not self._newer(place, held, at, teller, value):
            return held
        self.said[place], self.tellers[place] = at, teller
        return value

    def hear_entries(
        self, name: str, held: Mapping[str, Any], at: datetime, teller: Teller, told: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The entries of a map after a statement. Beyond the limit the longest unsaid give way, those of forms before others."""
        prefix = f"{name}."
        entries = dict(held)
        for code, value in told.items():
            entries[code] = self.hear(prefix + code, entries.get(code), at, teller, value)
        times = sorted(
            (self._vouched(place), when, place)
            for place, when in self.said.items()
            if place.startswith(prefix) and place not in self.rules
        )
        for *_, place in times[: max(0, len(times) - MAX_ATTRIBUTES)]:
            self.forget(place)
            entries.pop(place.removeprefix(prefix), None)
        return {code: value for code, value in sorted(entries.items()) if value is not None}

    def again(self, place: str, held: Any) -> Any:
        """The value that holds by today's rules."""
        return self._decide(place, self._candidates(place, held))

    def move(self, place: str, held: Any, to: str, there: Any) -> Any:
        """All that was said of one place is of another from now on; the value that holds there."""
        for one in self._candidates(place, held):
            there = self.hear(to, there, *one)
        self.forget(place)
        return there

    def forget(self, place: str) -> None:
        """As if nobody had ever spoken of it."""
        self.said.pop(place, None)
        self.tellers.pop(place, None)
        self.also.pop(place, None)

    def _newer(self, place: str, held: Any, at: datetime, teller: Teller, value: Any) -> bool:
        standing = self.said.get(place)
        if standing is None:
            return True
        # What a form has said yields to whatever anybody else says, and whenever.
        now, then = (vouched(teller.source), at), (self._vouched(place), standing)
        if now != then:
            return now > then
        # By whom is told apart only where the same was said in the same millisecond.
        new, old = canonical(value), canonical(held)
        return new > old or (new == old and _by(teller) > _by(self.tellers.get(place, UNKNOWN)))

    def _vouched(self, place: str) -> bool:
        return vouched(self.tellers.get(place, UNKNOWN).source)

    def _candidates(self, place: str, held: Any) -> list[Candidate]:
        if place not in self.said:
            return []
        return [*self.also.get(place, ()), Candidate(self.said[place], self.tellers.get(place, UNKNOWN), held)]

    def _decide(self, place: str, said: list[Candidate]) -> Any:
        holds, others = decided(self.rules.get(place, NEWEST), said)
        self.said[place], self.tellers[place] = holds.at, holds.teller
        if others:
            self.also[place] = others
        else:
            self.also.pop(place, None)
        return holds.value


def _by(teller: Teller) -> tuple[str, str]:
    return teller.source, teller.by or ""
