"""Files that are kept, looked through for one person: what is shown, where it ends, and what is said of the rest."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from services.contacts.domain.importing.mapping import Mapping
from services.contacts.formats.records import Unreadable
from services.contacts.handlers.imports import Import
from services.contacts.handlers.kept_files import (
    NOT_ALL_THERE,
    ROWS_AT_A_TIME,
    SHOWN,
    SHOWN_CHARACTERS,
    TOO_LONG,
    UNREADABLE,
    KeptFile,
    Looked,
    LookingThrough,
)
from shared.ids import uuid7
from tests.contacts.test_importing import Desk, desk

__all__ = ["desk"]
NOW = datetime(2026, 1, 2, tzinfo=UTC)
COLUMNS = [{"from": "nr", "to": "identifiers.shop"}, {"from": "note", "to": "attributes.note"}]
MAPPING = Mapping.model_validate({"columns": COLUMNS, "form": "csv", "encoding": "utf-8"})
ANN = {"shop:1", "email:ann@b.de"}


class Files:
    """One file, in pieces of a hundred bytes. `lost`: so many pieces have gone since."""

    def __init__(self, data: bytes, lost: int = 0, mapping: Mapping = MAPPING) -> None:
        self.one = Import("i", "m", mapping, "f.csv", len(data), NOW, "me", dry_run=True)
        self.pieces = [data[start : start + 100] for start in range(0, len(data), 100)]
        self.pieces = self.pieces[: len(self.pieces) - lost]
        self.reached = asyncio.Event()
        self.goes_on: asyncio.Event | None = None

    async def chunks(self, import_id: str) -> AsyncIterator[bytes]:
        if not self.pieces:
            raise Unreadable("the file is no longer kept; send it again")
        for piece in self.pieces:
            yield piece
            self.reached.set()
            if self.goes_on:
                await self.goes_on.wait()


async def looked(files: Files, seconds: float = 60.0) -> Looked:
    return await LookingThrough(files, None).look(KeptFile("i", NOW, files.one), ANN, seconds)


def file_of(*rows: str) -> bytes:
    return "\n".join(["nr,note", *rows, ""]).encode()


async def test_a_row_is_found_wherever_it_stands() -> None:
    rows = [f"{n + 2}," for n in range(3 * ROWS_AT_A_TIME)]
    for place in (0, ROWS_AT_A_TIME, 2 * ROWS_AT_A_TIME + 7):
        rows[place] = "1,Ann"
    found = await looked(Files(file_of(*rows)))
    assert [(one.number, one.record.line) for one in found.found] == [(0, 2), (250, 252), (507, 509)]
    assert (found.rows, found.more, found.left) == (len(rows), 0, None)


async def test_of_very_many_rows_and_very_long_ones_the_others_are_counted() -> None:
    found = await looked(Files(file_of(*["1,Ann"] * (SHOWN + 5))))
    assert (len(found.found), found.more) == (SHOWN, 5)
    long = "1," + "x" * (SHOWN_CHARACTERS // 10)
    found = await looked(Files(file_of(*[long] * 12, "1,Ann")))
    assert (len(found.found), found.more) == (9, 4)


async def test_what_there_is_no_time_for_is_said() -> None:
    files = Files(file_of("1,Ann"))
    assert (await looked(files, 0)).left == TOO_LONG
    late = await looked(files, 1e-9)
    assert (late.left, late.found) == (TOO_LONG, [])
    assert late.seconds > 0


async def test_a_file_that_breaks_off_tells_what_stands_before() -> None:
    elements = Mapping.model_validate({"columns": COLUMNS, "form": "xml", "record": "/all/one"})
    found = await looked(Files(b"<all>" + b"<one><nr>1</nr><note>Ann</note></one>" * 3 + b"<one>", mapping=elements))
    assert ([one.number for one in found.found], found.rows, found.left) == ([0, 1, 2], 3, UNREADABLE)
    assert (await looked(Files(b"another,header\n"))).left == UNREADABLE


@pytest.mark.parametrize("lost", [1, 3])
async def test_a_file_that_goes_meanwhile_is_held_no_more(lost: int) -> None:
    gone = await looked(Files(file_of("1,Ann", *["2,two"] * 40), lost))
    assert (gone.found, gone.left) == ([], None)


async def test_of_a_file_that_was_not_sent_to_its_end_it_is_said_so() -> None:
    looking = LookingThrough(Files(b""), None)
    assert (await looking.look(KeptFile("i", NOW, None), ANN, 60)).left == NOT_ALL_THERE


@pytest.mark.integration
async def test_all_files_that_are_kept_are_met_once_in_the_order_in_which_they_were_sent(desk: Desk) -> None:
    sent = [await desk.sent(dry_run=True) for _ in range(2)]
    broken_off = uuid7(datetime.now(UTC))
    await desk.files.add_chunk(broken_off, 0, b"nr,name")
    met: list[KeptFile] = []
    while kept := await desk.files.next_file(met[-1].import_id if met else ""):
        met.append(kept)
    assert [one.import_id for one in met] == [*sent, broken_off]
    assert [one.one is None for one in met] == [False, False, True]
    names = {"shop:19"}
    found = [await LookingThrough(desk.files, None).look(one, names, 60) for one in met]
    assert [[row.number for row in one.found] for one in found] == [[19], [19], []]
    assert [one.left for one in found] == [None, None, NOT_ALL_THERE]


async def test_whoever_goes_away_meanwhile_keeps_nobody_else_from_being_answered() -> None:
    files = Files(file_of("1,Ann"))
    files.goes_on = asyncio.Event()
    looking = LookingThrough(files, None)
    gone = asyncio.create_task(looking.look(KeptFile("i", NOW, files.one), ANN, 60))
    await files.reached.wait()
    gone.cancel()
    assert isinstance((await asyncio.gather(gone, return_exceptions=True))[0], asyncio.CancelledError)
    files.goes_on.set()
    assert len((await looking.look(KeptFile("i", NOW, files.one), ANN, 60)).found) == 1
