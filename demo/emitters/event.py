"""An event of a system, and how rows of the files are read."""

import csv
import gzip
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from demo.emitters.systems import System

CONTACT, SALE, INTERACTION, CONTRACT = (
    f"crm.{name}.reported.v1" for name in ("contact", "sale", "interaction", "contract")
)

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing a system has to say."""

    system: System
    id: str
    type: str
    at: datetime
    household: int
    data: dict[str, Any]

    def envelope(self) -> dict[str, Any]:
        return {
            "specversion": "1.0",
            "id": self.id,
            "source": self.system.source,
            "type": self.type,
            "time": rfc3339(self.at),
        }


def rfc3339(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def parsed(text: str) -> datetime:
    """The source gives no zone; we read its times as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def rows(folder: Path, name: str) -> list[Row]:
    with gzip.open(folder / f"{name}.csv.gz", "rt", newline="") as file:
        return list(csv.DictReader(file))
