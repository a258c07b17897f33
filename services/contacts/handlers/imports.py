"""An import as it is kept: one file, how it is read, how far it has come."""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping as Map, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from services.contacts.domain.importing.drafting import Rejected
from services.contacts.domain.importing.mapping import Mapping
from services.contacts.formats.records import Record
from services.contacts.handlers.book import Store
from shared.ids import made_at
from shared.leases import Lease
from shared.mongo import Session

OPEN = ("waiting", "running")


@dataclass(frozen=True)
class Import:
    """One file, how it is read, and how far it has come."""

    import_id: str
    mapping_name: str
    mapping: Mapping
    file: str
    size: int
    created_at: datetime
    created_by: str
    dry_run: bool
    state: str = "waiting"
    rows: int = 0
    """Read, and taken or rejected."""
    counts: Map[str, int] = field(default_factory=dict)
    rejected: Map[str, int] = field(default_factory=dict)
    """By reason."""
    columns: Sequence[str] = ()
    share: float | None = None
    """Of the file; None where that cannot be told."""
    error: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    rehearsed: Map[str, Any] | None = None
    """What the dry run before it has found."""

    @property
    def handed_in(self) -> datetime:
        """When the file began to come, by the clock of the instance that took it."""
        return made_at(self.import_id)

    @property
    def source(self) -> str:
        return f"/imports/{self.mapping_name}"


class Back(NamedTuple):
    """A row that is given back. `number`: in the file, from 0; `names`: what its person is known again by (`domain.naming`)."""

    number: int
    record: Record
    why: Rejected
    names: Collection[str]


@dataclass
class Step:
    """What one transaction has done with the rows after `start`."""

    start: int
    rows: int
    share: float | None
    columns: Sequence[str]
    counts: Counter[str] = field(default_factory=Counter)
    rejected: list[Back] = field(default_factory=list)
    samples: list[tuple[str, int, dict[str, Any]]] = field(default_factory=list)
    """Of an outcome, with the row's number; `names` as above."""


class Imports(Protocol):
    """Where imports and their files are kept."""

    async def open(self) -> list[Import]:
        """Those that wait or run, the oldest first."""

    async def find(self, import_id: str) -> Import | None: ...

    def lease(self, import_id: str) -> Lease: ...

    def chunks(self, import_id: str) -> AsyncIterator[bytes]:
        """The file, piece by piece. Raises Unreadable if it is no longer kept."""

    async def begin(self, import_id: str) -> None:
        """It runs from now on."""

    async def advance(self, import_id: str, step: Step, session: Session) -> bool:
        """Move on. False if it is no longer where the step starts, or no longer to run."""

    async def finish(self, import_id: str, state: str, error: str | None) -> None:
        """Nothing more is to be done, unless it has been cancelled meanwhile."""

    def rehearsal(self, import_id: str, store: Store) -> Store:
        """A store that reads through to `store` and keeps what is written for itself."""

    async def forget_rehearsal(self, import_id: str) -> None: ...

    async def forget_file(self, import_id: str) -> None: ...
