"""Files of contacts: taken in, rehearsed, imported row by row with exactly one effect, whatever dies.

The position in the file moves in the transaction that hears the rows, so no row needs to be remembered. One instance at a
time works on an import; another goes on where it stopped.
"""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import IO

import structlog

from services.contacts.domain.importing.drafting import Draft, Drafting, Rejected
from services.contacts.domain.importing.judging import SAMPLES, Judged
from services.contacts.domain.importing.speaking import UNREADABLE, Speaking
from services.contacts.formats.opening import opened
from services.contacts.formats.records import Layout, Reader, Record, Unreadable
from services.contacts.handlers.book import Store
from services.contacts.handlers.imports import OPEN, Back, Import, Imports, Step
from services.contacts.handlers.late import Erased, Piece, without_the_erased
from services.contacts.handlers.rows import Rows
from shared import mongo
from shared.leases import LeaseLost, UnderWay, leased
from shared.messaging import Transact, Unit

log = structlog.get_logger(__name__)

PIECE = 250
"""Rows of one transaction. Fewer cost more transactions; of more, making their documents holds the event loop for longer
(measured: 0.09 ms a row).
"""
SKIPPED = 5_000
"""Rows read at a time, in a thread, when an import goes on where it stopped."""


class Overtaken(Exception):
    """It was cancelled, or another instance has gone on."""


class Importing:
    """The use case: work on what waits."""

    def __init__(
        self,
        imports: Imports,
        store: Store,
        rows: Rows,
        erased: Erased,
        transact: Transact[None],
        owner: str,
        piece: int = PIECE,
    ) -> None:
        self.imports = imports
        self.store = store
        self.rows = rows
        self.erased = erased
        self.transact = transact
        self.owner = owner
        self.piece = piece

    async def work(self) -> None:
        """Everything that waits and that nobody else is at, one after the other."""
        for one in await self.imports.open():
            try:
                async with leased(self.imports.lease(one.import_id), self.owner, "The import"):
                    await self._run(one.import_id)
            except UnderWay:
                continue
            except LeaseLost:
                log.warning("import_left_to_another", import_id=one.import_id)

    async def _run(self, import_id: str) -> None:
        one = await self.imports.find(import_id)
        if one is None or one.state not in OPEN:
            return
        await self.imports.begin(import_id)
        state, error = "done", None
        with structlog.contextvars.bound_contextvars(correlation_id=import_id):
            try:
                await self._read(one)
            except Unreadable as unreadable:
                state, error = "failed", str(unreadable)
            except Overtaken:
                log.info("import_stopped", import_id=import_id)
                await self._clear_up(import_id)
                return
            except Exception as failure:
                if mongo.transient(failure) or isinstance(failure, LeaseLost):
                    raise
                # A bug of ours, which the same rows would meet again: said, and not tried for ever.
                log.error("import_failed", import_id=import_id, error=type(failure).__name__)
                state, error = "failed", f"Rapport failed on it ({type(failure).__name__}); the log says where"
            await self.imports.finish(import_id, state, error)
            await self._clear_up(import_id)
        log.info("import_ended", import_id=import_id, state=state)

    async def _clear_up(self, import_id: str) -> None:
        """What nobody needs any more of an import that is over: a rehearsal, and the file once it is done for good."""
        one = await self.imports.find(import_id)
        if one is None or one.state in OPEN:
            return
        if one.dry_run:
            await self.imports.forget_rehearsal(import_id)
        elif one.state == "done":
            await self.imports.forget_file(import_id)

    async def _read(self, one: Import) -> None:
        with tempfile.TemporaryFile() as file:
            async for chunk in self.imports.chunks(one.import_id):
                await asyncio.to_thread(file.write, chunk)
            reader = await asyncio.to_thread(open_file, file, one)
            drafting = Drafting(one.mapping_name, one.mapping, one.created_at, self.rows.country)
            pieces = _Pieces(iter(reader), drafting)
            await pieces.skip(one.rows)
            await self._all(one, reader, pieces, file)

    async def _all(self, one: Import, reader: Reader, pieces: "_Pieces", file: IO[bytes]) -> None:
        """While one piece is written the next is read."""
        position, counts = one.rows, Counter(one.counts)
        piece = await pieces.next(self.piece)
        while piece:
            share = _share(file, one)
            following = asyncio.create_task(pieces.next(self.piece))
            try:
                counts += await self._take(one, piece, Step(position, len(piece), share, reader.columns), counts)
            except BaseException:
                # A thread cannot be stopped; the file must not be closed under it.
                await asyncio.wait([following])
                raise
            position += len(piece)
            piece = await following

    async def _take(self, one: Import, piece: Piece, empty: Step, before: Counter[str]) -> Counter[str]:
        store = self.imports.rehearsal(one.import_id, self.store) if one.dry_run else self.store
        speaking = Speaking(one.mapping_name, one.mapping, self.rows.country)
        shown = any(before[outcome] < SAMPLES for outcome in ("new", "changed", "unchanged"))
        done: Step = empty

        async def change(unit: Unit) -> None:
            nonlocal done
            left = await without_the_erased(self.erased, piece, speaking, one.handed_in, unit.session)
            drafts = [draft for _, draft in left if isinstance(draft, Draft)]
            judged = iter(await self.rows.take(unit, store, drafts, one.source, shown=shown))
            done = replace(empty, counts=Counter(), rejected=[], samples=[])
            for place, (record, draft) in enumerate(left, empty.start):
                outcome = draft if isinstance(draft, Rejected) else next(judged)
                _note(done, place, record, outcome, before, speaking)
            if not await self.imports.advance(one.import_id, done, unit.session):
                raise Overtaken
            if one.dry_run:
                unit.outgoing.clear()

        await self.transact(change)
        return done.counts


def _note(
    done: Step, place: int, record: Record, judged: Judged | Rejected, before: Counter[str], speaking: Speaking
) -> None:
    if isinstance(judged, Rejected):
        done.counts["rejected"] += 1
        names = speaking.of(record.cells, readable=record.fault is None)
        done.rejected.append(Back(place, record, judged, names))
        return
    outcome = judged.outcome
    done.counts[outcome] += 1
    if before[outcome] + done.counts[outcome] <= SAMPLES:
        shown = {"customer_id": judged.customer_id, "before": judged.before, "after": judged.after}
        named = {"names": sorted(speaking.of(record.cells, readable=True))}
        done.samples.append((outcome, place, {"line": record.line, **shown, "changed": judged.changed, **named}))


def open_file(file: IO[bytes], one: Import) -> Reader:
    """As its mapping says. Raises Unreadable."""
    mapping = one.mapping
    layout = Layout(mapping.encoding, mapping.delimiter, mapping.sheet, mapping.record)
    file.seek(0)
    reader = opened(file, mapping.form, layout)
    if missing := mapping.missing(reader.columns):
        has = ", ".join(map(repr, reader.columns))[:500]
        raise Unreadable(f"the file has no column {', '.join(map(repr, missing))[:500]}; it has {has}")
    return reader


class _Pieces:
    """Rows a piece at a time, each read in a thread."""

    def __init__(self, records: Iterator[Record], drafting: Drafting) -> None:
        self._records = records
        self._drafting = drafting
        self._ended: Unreadable | None = None

    async def skip(self, rows: int) -> None:
        while rows > 0:
            await asyncio.to_thread(self._pass_over, min(rows, SKIPPED))
            rows -= SKIPPED

    def _pass_over(self, rows: int) -> None:
        for _ in islice(self._records, rows):
            """They have been taken."""

    async def next(self, wanted: int) -> Piece:
        """Empty at the end. Raises Unreadable, after all rows before it have been given."""
        return await asyncio.to_thread(self._next, wanted)

    def _next(self, wanted: int) -> Piece:
        if self._ended:
            raise self._ended
        piece: Piece = []
        try:
            for record in islice(self._records, wanted):
                piece.append((record, drafted(record, self._drafting)))
        except Unreadable as error:
            if not piece:
                raise
            self._ended = error
        return piece


def drafted(record: Record, drafting: Drafting) -> Draft | Rejected:
    """What a record says, or why it cannot be taken."""
    if record.fault:
        return Rejected(UNREADABLE, None, record.fault)
    try:
        return drafting.draft(record.cells)
    except Rejected as rejected:
        return rejected


def _share(file: IO[bytes], one: Import) -> float | None:
    """How far the file has been read, which is a little ahead of what has been taken. Rows of a zip say nothing of it."""
    try:
        place = file.tell()
    except (OSError, ValueError):
        return None
    return min(1.0, place / one.size) if one.size else None
