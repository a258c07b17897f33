"""How good the data of all contacts are: counts and means, gathered record by record in any order."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.contacts.domain.quality import WEIGHTS, Quality, quality
from services.contacts.domain.survivorship import Known

BAND = 10
"""Scores are counted in tens; 100 belongs to the last."""


@dataclass
class Tally:
    """What is summed up. Sums of shares are of those records in which the dimension could be judged."""

    contacts: int = 0
    scores: int = 0
    bands: Counter[int] = field(default_factory=Counter)
    """By the lower end of the band."""
    parties: Counter[str] = field(default_factory=Counter)
    party_scores: Counter[str] = field(default_factory=Counter)
    judged: Counter[str] = field(default_factory=Counter)
    shares: dict[str, float] = field(default_factory=dict)
    values: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """By field, verdict and reason."""
    findings: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Records with it, by dimension, field and reason."""

    def add(self, party: str, found: Quality) -> None:
        self.contacts += 1
        self.scores += found.score
        self.bands[min(found.score, 99) // BAND * BAND] += 1
        self.parties[party] += 1
        self.party_scores[party] += found.score
        for dimension, share in found.shares.items():
            self.judged[dimension] += 1
            self.shares[dimension] = self.shares.get(dimension, 0.0) + share
        self.values.update((value.field, value.verdict, value.reason) for value in found.values)
        self.findings.update({(one.dimension, one.field, one.reason) for one in found.findings})

    def add_all(self, contacts: Iterable[Known], now: datetime, country: str | None) -> None:
        for known in contacts:
            self.add(known.contact.party, quality(known, now, country))

    @property
    def mean(self) -> float | None:
        """Of the scores; None if there is nobody."""
        return self.scores / self.contacts if self.contacts else None

    def report(self) -> dict[str, Any]:
        """All of it in lists and texts, as it is kept and shown: the most frequent first."""
        return {
            "contacts": self.contacts,
            "mean": self.mean,
            "bands": {str(band): self.bands[band] for band in range(0, 100, BAND)},
            "parties": [
                {"party": party, "contacts": count, "mean": self.party_scores[party] / count}
                for party, count in self.parties.most_common()
            ],
            "dimensions": [
                {
                    "dimension": dimension,
                    "weight": weight,
                    "contacts": self.judged[dimension],
                    "mean": self.shares[dimension] / self.judged[dimension],
                }
                for dimension, weight in WEIGHTS.items()
                if self.judged[dimension]
            ],
            "values": [
                {"field": name, "verdict": verdict, "reason": reason, "count": count}
                for (name, verdict, reason), count in self.values.most_common()
            ],
            "findings": [
                {"dimension": dimension, "field": name, "reason": reason, "contacts": count}
                for (dimension, name, reason), count in self.findings.most_common()
            ],
        }
