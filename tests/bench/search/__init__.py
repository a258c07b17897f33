"""Search: contacts found over HTTP by what people type, by what they have, and by identifier, among up to a million."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from urllib.parse import urlencode

from tests.bench.growth.figures import percentile
from tests.bench.growth.platform import Platform, between, playing
from tests.bench.line import Line
from tests.bench.search.asking import Question, questions
from tests.bench.search.base import fill
from tests.bench.section import Row, Section, Stage

PAGE = 20
NOTES = """
Made-up people: names after Zipf, the most frequent family name has one in twenty of them (in the United States one in a
hundred is called Smith), which is harder than life; every third name is rare.
One asker, who asks again when answered, over a plain socket; kinds of questions in turns, each question once. Pages of 20.
A page is short where it has fewer and is not the last: enough was looked at.
A slip is one letter that is wrong; answered where nobody has what was typed.
Of 1,000 cities and of 200 territories the largest has a tenth of all contacts, the n-th an n-th of that; who is asked for is drawn evenly.
The contacts are written by the service's own store, not sent as events.
The search for duplicates among them, which may take a quarter of a core, is held down to a hundredth.
"""


async def run(stage: Stage) -> Section:
    contacts = stage.pick(smoke=300, quick=20_000, normal=200_000, full=1_000_000)
    each = stage.pick(smoke=5, quick=100, normal=300, full=500)
    async with playing(stage, {"RAPPORT_CONTACTS_MATCHING_SHARE": "0.01"}) as platform:
        stage.say(f"{contacts:,} contacts are being written")
        base = await fill(platform.database("contacts"), contacts)
        asked = questions(base, random.Random(1), each)
        rows = await _ask(platform, asked, contacts)
        size = await platform.database("contacts").command("collStats", "contacts")
        names, traits = (
            size["indexSizes"][name] / contacts
            for name in ("found_by_1_number_1_digest_1", "traits_1__id_1_digest_1_initials_1")
        )
        note = (
            f"The index of names takes {names:.0f} bytes a contact, that of traits {traits:.0f}; a contact has "
            f"{base.keys / contacts:.1f} keys of names."
        )
        details = {"contacts": contacts, "engines": platform.engines, "fill seconds": base.seconds}
    return Section("search", "Search: contacts found as people type", rows, [*_sentences(NOTES), note], details=details)


def _sentences(text: str) -> list[str]:
    return [" ".join(part.split()) + "." for part in text.strip().removesuffix(".").split(".\n")]


async def _ask(platform: Platform, asked: Sequence[Question], contacts: int) -> list[Row]:
    line = await Line.to(platform.url("contacts"), platform.running.admin_key)
    took: dict[str, list[float]] = {}
    found: dict[str, int] = {}
    short: dict[str, int] = {}
    for number, question in enumerate([*asked[: len(asked) // 10], *asked]):  # the first tenth warms up
        began = time.perf_counter()
        answer = await line.get(f"/v1/contacts?{urlencode({**question.asks, 'limit': PAGE})}")
        seconds = time.perf_counter() - began
        question.check(answer)
        if number >= len(asked) // 10:
            took.setdefault(question.kind, []).append(seconds)
            page = answer.count(b'"customer_id"')
            found[question.kind] = found.get(question.kind, 0) + page
            more = not answer.endswith(b'"next":null}')
            short[question.kind] = short.get(question.kind, 0) + (page < PAGE and more)
    cpu = await _cpu(platform, line, asked)
    line.close()
    return [
        {
            "question": kind, "contacts": contacts, "p50 ms": percentile(times, 0.5) * 1e3,
            "p99 ms": percentile(times, 0.99) * 1e3, "max ms": max(times) * 1e3, "found": found[kind] / len(times),
            "short %": short[kind] / len(times) * 100,
            "mongo, CPU us": cpu[kind][0], "contacts, CPU us": cpu[kind][1],
        }
        for kind, times in sorted(took.items(), key=lambda one: [question.kind for question in asked].index(one[0]))
    ]  # fmt: skip


async def _cpu(platform: Platform, line: Line, asked: Sequence[Question]) -> dict[str, tuple[float, float]]:
    """Microseconds a question of each kind, at MongoDB and at contacts."""
    spent = {}
    for kind in dict.fromkeys(question.kind for question in asked):
        mine = [question for question in asked if question.kind == kind]
        before = platform.spent()
        for question in mine:
            await line.get(f"/v1/contacts?{urlencode({**question.asks, 'limit': PAGE})}")
        used = between(before, platform.spent())
        spent[kind] = (used["mongo"] / len(mine) * 1e6, used["contacts"] / len(mine) * 1e6)
    return spent
