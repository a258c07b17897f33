"""What is told of an import."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Counts(BaseModel):
    """Rows by what became of them, or would become."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0


class Rehearsed(BaseModel):
    """What the dry run has found."""

    rows: int
    counts: Counts
    rejected: dict[str, int]


class ImportBody(BaseModel):
    """An import, and how far it is."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "import_id": "019b7a2c-5c00-7d3e-a1b2-0c9d8e7f6a5b",
                    "mapping": "customers",
                    "file": "customers.csv",
                    "size": 1048576,
                    "state": "done",
                    "dry_run": True,
                    "created_at": "2026-01-02T09:30:00Z",
                    "rows": 3,
                    "counts": {"new": 1, "changed": 1, "unchanged": 0, "rejected": 1},
                    "rejected": {"invalid-value": 1},
                }
            ]
        }
    )

    import_id: str
    mapping: str
    file: str
    size: Annotated[int, Field(description="Bytes.")]
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    dry_run: bool
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    rows: Annotated[int, Field(description="Taken or rejected so far.")] = 0
    share: Annotated[float | None, Field(ge=0, le=1, description="Of the file; null where it cannot be told.")] = None
    counts: Counts = Counts()
    rejected: Annotated[dict[str, int], Field(description="By reason.")] = {}
    error: Annotated[str | None, Field(description="Why it failed. Rows before that have been taken.")] = None
    rehearsed: Rehearsed | None = None


class Sample(BaseModel):
    """A row of the file and what it does to its customer. Of a dry run, ids of new customers are only examples."""

    line: int
    customer_id: str
    changed: list[str]
    before: dict[str, Any]
    after: dict[str, Any]


class Samples(BaseModel):
    """The first rows of an outcome."""

    items: list[Sample]
