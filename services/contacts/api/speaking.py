"""In which language a page speaks to a customer, and what purposes, channels and interests are called in it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from services.contacts.api.page_words import ENGLISH, WORDS, Words

MOST = 20
"""Languages of a browser that are looked at. What sends more of them is none."""
Names = Mapping[str, Mapping[str, str]]
"""What an installation calls its codes, by language."""


@dataclass(frozen=True)
class Voice:
    """One language, with the names that the installation has given."""

    language: str
    names: Names

    @property
    def words(self) -> Words:
        return WORDS[self.language]

    def name(self, code: str) -> str:
        """Of a purpose or an interest; the code itself, if it has none in this language and none in English."""
        return self._given(code) or _plain(code)

    def channel(self, code: str) -> str:
        """Of a channel; the usual ones have a name anyway."""
        return self._given(code) or self.words.channels.get(code) or _plain(code)

    def _given(self, code: str) -> str | None:
        given = self.names.get(code, {})
        return given.get(self.language) or given.get(ENGLISH)


def _plain(code: str) -> str:
    return code.replace("-", " ").replace("_", " ")


def voice(own: str | None, accepted: str | None, names: Names) -> Voice:
    """The customer's own language (`de-AT`), else the first of those their browser asks for that we speak, else English."""
    wanted = [*([own] if own else []), *_accepted(accepted or "")]
    spoken = (one.partition("-")[0].lower() for one in wanted)
    return Voice(next((one for one in spoken if one in WORDS), ENGLISH), names)


def _accepted(header: str) -> Iterator[str]:
    """The languages of `Accept-Language` (RFC 9110, 12.5.4), the best first."""
    weighed = []
    for one in header.split(",")[:MOST]:
        language, _, parameter = one.partition(";")
        weight = _weight(parameter)
        if weight > 0:
            weighed.append((weight, language.strip()))
    # Of equal weight the first named.
    yield from (language for _, language in sorted(weighed, key=lambda one: -one[0]))


def _weight(parameter: str) -> float:
    """What is no weight makes the language the last one wanted."""
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1.0
    try:
        weight = float(value) if name.strip().lower() == "q" else 0.001
    except ValueError:
        return 0.001
    return weight if 0 <= weight <= 1 else 0.001
