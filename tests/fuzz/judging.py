"""What must be true afterwards: each wrong input one dead letter, each right one its effect, nothing besides.

It reads the log and the public API, and shares no code with the services but the decoder of batches, without which
nobody who uses aiokafka could read on behind a header name that is no text.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.messaging import readable
from tests.fuzz.domain import LISTENERS, SOME
from tests.fuzz.inputs import SOURCE, Fate, Input, Part
from tests.fuzz.sending import Place, Sent

DEAD_LETTERS = "crm.dead-letters"
KEPT_HEADERS_BYTES = 200_000
"""Of an input's headers so much comes with its letter for certain."""
EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter, as the log has it."""

    reason: str
    detail: str
    handler: str
    element: int | None
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


@dataclass
class Found:
    """What the platform has made of it."""

    letters: dict[Place, list[Letter]] = field(default_factory=lambda: defaultdict(list))
    effects: Counter[str] = field(default_factory=Counter)
    """Entries of the history and identifiers of contacts, by the uid in them."""


async def letters(bootstrap: str, namespace: str, partitions: int) -> dict[Place, list[Letter]]:
    """All dead letters, by the place of what they are about."""
    readable.install()
    reader = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=1 << 25,
    )
    found: dict[Place, list[Letter]] = defaultdict(list)
    await reader.start()
    try:
        places = [TopicPartition(namespace + DEAD_LETTERS, n) for n in range(partitions)]
        reader.assign(places)
        ends = await reader.end_offsets(places)
        while any([await reader.position(p) < end for p, end in ends.items()]):
            for records in (await reader.getmany(timeout_ms=500, max_records=5_000)).values():
                for place, letter in map(_letter, filter(_is_letter, records)):
                    found[place].append(letter)
    finally:
        await reader.stop()
    return found


def _is_letter(record: Any) -> bool:
    """Raw bytes were sent there too, some with a header like ours."""
    return {"rapport-topic", "rapport-handler"} <= {name for name, _ in record.headers}


def _letter(record: Any) -> tuple[Place, Letter]:
    ours = {name: value.decode() for name, value in record.headers if name.startswith("rapport-")}
    original = tuple((name[9:], value) for name, value in record.headers if name.startswith("original."))
    element = int(ours["rapport-element"]) if "rapport-element" in ours else None
    value = None if "rapport-no-value" in ours else record.value
    letter = Letter(
        ours["rapport-reason"], ours["rapport-detail"], ours["rapport-handler"], element, record.key, value, original
    )
    return (ours["rapport-topic"], int(ours["rapport-partition"]), int(ours["rapport-offset"])), letter


async def effects(client: aiohttp.ClientSession) -> Counter[str]:
    found: Counter[str] = Counter()
    async for item in _pages(client, "/v1/interactions"):
        if item["channel"] == SOURCE:
            found[item["event_id"]] += 1
    async for item in _pages(client, "/v1/contacts"):
        found.update(one["value"] for one in item["identifiers"] if one["scheme"] == "fuzz-contact")
    return found


async def _pages(client: aiohttp.ClientSession, path: str) -> Any:
    following: str | None = ""
    while following is not None:
        query = {"limit": "1000"} | ({"cursor": following} if following else {})
        async with client.get(path, params=query) as answer:
            answer.raise_for_status()
            page = orjson.loads(await answer.read())
        for item in page["items"]:
            yield item
        following = page["next"]


async def shelved(client: aiohttp.ClientSession, letters: int) -> list[str]:
    """Every letter of the log can be looked at."""
    async with client.get("/v1/dead-letters/summary") as answer:
        kept = sum(orjson.loads(await answer.read()).values())
    return [] if kept == letters else [f"{letters} dead letters are in the log and {kept} are on the shelf"]


def judge(sent: Sent, found: Found) -> list[str]:
    """Everything that is not as it must be; empty if all is well."""
    faults = list(sent.faults)
    for place, one in sent.inbound.items():
        faults += _inbound(place, one, found)
    for place, (kind, raw) in sent.domain.items():
        faults += _domain(place, kind, raw.value, found)
    for part in sent.told:
        if found.effects[part.uid] != (part.fate is Fate.EFFECT):
            faults.append(f"http: {part.uid} was answered as {part.fate} and has {found.effects[part.uid]} effects")
    strangers = [place for place in found.letters if place not in sent.inbound and place not in sent.domain]
    faults += [
        f"a dead letter about {place}, where nothing of ours was: {found.letters[place][0]}" for place in strangers
    ]
    return faults


def _inbound(place: Place, one: Input, found: Found) -> Iterator[str]:
    about = found.letters.get(place, [])
    if not one.elements:
        yield from _part(place, one.parts[0], about, found, one)
        if len(about) == 1:
            yield from _intact(place, one, about[0])
    for index, part in enumerate(one.parts if one.elements else ()):
        yield from _part((*place, index), part, [x for x in about if x.element == index], found, one)
    for letter in about:
        if letter.reason == "handler-error":
            yield f"{place}: the service failed on it: {letter.detail}: {_shown(one)}"


def _part(place: object, part: Part, about: list[Letter], found: Found, one: Input) -> Iterator[str]:
    seen = (len(about), found.effects[part.uid])
    allowed = {
        Fate.LETTER: [(1, 0)],
        Fate.EFFECT: [(0, 1)],
        Fate.EITHER: [(1, 0), (0, 1)],
        Fate.NOTHING: [(0, 0)],
    }[part.fate]
    if seen not in allowed:
        yield f"{place}: {part.fate} was due, and there are {seen[0]} letters and {seen[1]} effects: {_shown(one)}"


def _intact(place: Place, one: Input, letter: Letter) -> Iterator[str]:
    """A letter has every byte of what it is about."""
    if (letter.key, letter.value) != (one.raw.key, one.raw.value):
        yield f"{place}: its letter has another key or value: {letter.key!r:.100} {letter.value!r:.200}: {_shown(one)}"
    size = sum(len(name) + len(value or b"") + 64 for name, value in one.raw.headers)
    told = [(name, value) for name, value in one.raw.headers if not name.startswith(b"rapport-")]
    as_written = [(name.decode("utf-8", "backslashreplace"), value) for name, value in told]
    as_repaired = [(_repaired(name.decode("utf-8", "replace")), value) for name, value in told]
    kept = list(letter.headers)
    as_kept = [(_repaired(name), value) for name, value in kept]
    if size < KEPT_HEADERS_BYTES and kept != as_written and as_kept != as_repaired:
        yield f"{place}: its letter has other headers: {letter.headers!r:.300}: {_shown(one)}"


def _repaired(name: str) -> str:
    """The broker replaces what is no text where it has to unpack a batch, in how many pieces is its own affair."""
    return re.sub("\ufffd+", "\ufffd", name)


def _domain(place: Place, kind: str, value: bytes | None, found: Found) -> Iterator[str]:
    by = Counter(letter.handler for letter in found.letters.get(place, []))
    by = Counter({handler: count for handler, count in by.items() if handler not in SOME or count > 1})
    due = dict.fromkeys(LISTENERS[place[0]], 1) if kind == "wrong" else {}
    if kind == "odd" and max(by.values(), default=0) <= 1:
        return
    if by != due:
        yield f"{place}: a {kind} record, letters by {dict(by)}: {value!r:.400}"


def _shown(one: Input) -> str:
    return f"{one.kind} {one.raw.headers!r:.300} {one.raw.value!r:.500}"
