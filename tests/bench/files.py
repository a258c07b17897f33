"""Files of contacts: rehearsed, imported, imported again and exported on a running platform, and the memory it takes.

`python -m tests.bench.files --size full`: a million rows.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

from tests.bench.growth.platform import Platform, Refused, playing
from tests.bench.section import Row, Section, Stage, alone

MAPPING: dict[str, Any] = {
    "columns": [
        {"from": "nr", "to": "identifiers.customer-number"},
        {"from": "name", "to": "name"},
        {"from": "mail", "to": "email"},
        {"from": "phone", "to": "phone"},
        {"from": "street", "to": "address.line"},
        {"from": "zip", "to": "address.postal_code"},
        {"from": "city", "to": "address.city"},
        {"from": "country", "to": "address.country"},
        {"from": "revenue", "to": "attributes.revenue", "type": "number"},
        {"from": "news", "to": "consents.newsletter.email"},
        {"from": "since", "to": "consents.newsletter.email.given_at", "type": "date"},
    ]
}
PIECE = 5_000
"""Rows of the file made at a time."""
FORMS = ("csv", "jsonl", "xml", "vcard", "xlsx")
LOOK_SECONDS = 0.2
HOURS = 3 * 3600
NOTES = (
    "Ten fields a row, three identifiers, one consent; the whole platform runs, so all other services fold the new customers meanwhile.",
    "Memory is the most that the process of contacts had beyond what it had before, looked at every 0.2 s.",
)


def table(rows: int) -> Iterator[bytes]:
    """The file, made as it is sent."""
    yield b"nr,name,mail,phone,street,zip,city,country,revenue,news,since\n"
    for start in range(0, rows, PIECE):
        yield "".join(map(_line, range(start, min(rows, start + PIECE)))).encode()


def _line(n: int) -> str:
    return (
        f"{n},Given{n % 977} Family{n % 7919},p{n}@example.org,+49301{n:07},Hauptstr. {n % 200},10{n % 1000:03},"
        f"Berlin,DE,{n % 1000}.5,{'yes' if n % 2 else 'no'},2024-01-02\n"
    )


async def run(stage: Stage) -> Section:
    rows = stage.pick(smoke=300, quick=10_000, normal=100_000, full=1_000_000)
    found: list[Row] = []
    async with playing(stage) as platform:
        await platform.put("/v1/contacts/mappings/bench", MAPPING)
        for what, dry_run in (("dry run", True), ("import", False), ("the same again", False)):
            found.append(await imported(platform, rows, what, dry_run=dry_run))
            stage.say(str(found[-1]))
        for form in FORMS:
            found.append(await exported(platform, rows, form))
            stage.say(str(found[-1]))
    return Section("files", "Files of contacts: in and out", found, NOTES, details={"rows": rows})


async def imported(platform: Platform, rows: int, what: str, *, dry_run: bool) -> Row:
    async with watched(platform) as most:
        began = time.monotonic()
        url = f"{platform.running.base_url}/v1/contacts/imports"
        params = {"mapping": "bench", "dry_run": str(dry_run).lower()}

        async def pieces() -> AsyncIterator[bytes]:
            for piece in table(rows):
                yield piece

        headers = {"authorization": f"Bearer {platform.running.admin_key}"}
        async with platform.session.post(url, params=params, data=pieces(), headers=headers) as answer:
            if answer.status != 202:
                raise Refused(await answer.text())
            one = await answer.json()
        sent = time.monotonic() - began
        async with asyncio.timeout(HOURS):
            while one["state"] in {"waiting", "running"}:
                await asyncio.sleep(LOOK_SECONDS)
                one = await platform.get(f"/v1/contacts/imports/{one['import_id']}")
        seconds = time.monotonic() - began
    outcome = {"dry run": "new", "import": "new"}.get(what, "unchanged")
    if one["state"] != "done" or one["counts"][outcome] != rows:
        raise Refused(f"{what}: {one}")
    return _row(what, rows, seconds, most[0], **{"upload s": round(sent, 1)})


async def exported(platform: Platform, rows: int, form: str) -> Row:
    async with watched(platform) as most:
        began, size = time.monotonic(), 0
        first: float | None = None
        url = f"{platform.running.base_url}/v1/contacts/export"
        headers = {"authorization": f"Bearer {platform.running.admin_key}"}
        async with platform.session.get(url, params={"format": form}, headers=headers) as answer:
            if answer.status != 200:
                raise Refused(await answer.text())
            async for piece in answer.content.iter_any():
                first = first or time.monotonic() - began
                size += len(piece)
        seconds = time.monotonic() - began
    return _row(
        f"export {form}", rows, seconds, most[0], **{"first byte s": round(first or 0.0, 2), "MB": round(size / 1e6)}
    )


def _row(what: str, rows: int, seconds: float, memory: float, **more: float) -> Row:
    return {
        "what": what, "rows": rows, "rows/s": round(rows / seconds), "s": round(seconds, 1), "memory MB": round(memory), **more,
    }  # fmt: skip


@asynccontextmanager
async def watched(platform: Platform) -> AsyncIterator[list[float]]:
    """The most memory that contacts takes meanwhile, in MB, beyond what it took before."""
    before = platform.memory_mb()["contacts"]
    most = [0.0]

    async def look() -> None:
        while True:
            most[0] = max(most[0], platform.memory_mb()["contacts"] - before)
            await asyncio.sleep(LOOK_SECONDS)

    looking = asyncio.create_task(look())
    try:
        yield most
    finally:
        looking.cancel()


if __name__ == "__main__":
    alone("files", run)
