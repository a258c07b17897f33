"""The export of all that is held: what it looks like, and what it says of services that do not answer."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import aiohttp
import orjson
import pytest
from fastapi import FastAPI, Request

from services.contacts.api.disclosure_archive import Archive
from services.contacts.api.disclosure_forms import Json, written
from services.contacts.api.disclosure_page import Page
from services.contacts.clients import Holder
from services.contacts.domain.documents import Document
from services.contacts.handlers.disclosing import Disclosing, NoAnswer
from shared.held import Held, HeldItem, HeldPage, Piece, Section
from tests.contacts.staff import NOW, contact
from tests.web import serving

HOSTILE = "<script>alert('x')</script>\"&"


class Fake:
    """A service that tells some pages, and then perhaps no more."""

    def __init__(self, service: str, *pages: Sequence[Mapping[str, Any]], fails: str | None = None) -> None:
        self.service = service
        self.told = pages
        self.fails = fails

    async def pages(self, customers: Sequence[str], purpose: str | None) -> AsyncIterator[HeldPage]:
        for items in self.told:
            found = [HeldItem(section="things", data=dict(one)) for one in items]
            yield HeldPage(service=self.service, about={"things": "Things.", "others": "Others."}, items=found)
        if self.fails:
            raise NoAnswer(self.fails)


async def nothing(customers: Sequence[str], place: str | None, limit: int) -> Piece:
    return [], None


class Folder:
    """Documents in memory, each in two pieces."""

    def __init__(self, **told: bytes) -> None:
        self.told = told

    async def of(self, customers: Collection[str]) -> list[Document]:
        about: dict[str, Any] = {
            "customer_id": "ann",
            "title": None,
            "kind": None,
            "type": "text/plain",
            "sha256": "",
            "source": "",
        }
        return [
            Document(document_id=one, name=f"{HOSTILE} {one}", size=4, scan="unscanned", attached_at=NOW, **about)
            for one in self.told
        ]

    async def read(self, document_id: str) -> AsyncIterator[bytes]:
        yield self.told[document_id][:2]
        yield self.told[document_id][2:]


OWN = Held("contacts", [Section("contact", "Who you are.", nothing)])


async def exported(*others: Fake) -> tuple[dict[str, Any], str]:
    ann, exporting = contact(name="Ann"), Disclosing(OWN, others, Folder())
    json, html = [
        b"".join([piece async for piece in written(form, exporting.all_of(ann, None))])
        for form in (Json(ann, NOW), Page(ann, NOW))
    ]
    return orjson.loads(json), html.decode()


class Outline(HTMLParser):
    """Checks that every element is closed, and collects headings and what could be run."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[tuple[str, str]] = []
        self.seen: set[str] = set()
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen |= {tag, *(name for name, _ in attrs)}
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"h1", "h2", "h3"}:
            self.headings.append((self.open[-1], data))


async def test_all_parts_are_there_in_both_forms_and_it_says_that_it_is_complete() -> None:
    json, html = await exported(Fake("sync", [{"a": 1}], [{"a": 2}]), Fake("scoring", []))
    assert json["complete"] is True
    assert json["missing"] == {}
    assert [(part["section"], part["items"]) for part in json["services"]["sync"]] == [
        ("things", [{"a": 1}]),
        ("things", [{"a": 2}]),
        ("others", []),
    ]
    assert [part["section"] for part in json["services"]["contacts"]] == ["contact"]
    outline = Outline(html)
    assert outline.headings == [
        ("h1", "What we hold on you"),
        ("h2", "Who you are"),
        ("h3", "contact"),
        ("h2", "Who was told"),
        ("h3", "things"),
        ("h3", "others"),
        ("h2", "What we conclude"),
        ("h3", "things"),
        ("h3", "others"),
        ("h2", "Is this all?"),
    ]
    assert "This is all that we hold" in html


@pytest.mark.parametrize("pages", [(), ([{"a": 1}],)])
async def test_who_could_not_answer_is_named_and_the_whole_is_incomplete(pages: Any) -> None:
    json, html = await exported(Fake("sync", *pages, fails="it answered 503"), Fake("scoring", [{"b": 1}]))
    assert (json["complete"], json["missing"]) == (False, {"sync": "it answered 503"})
    assert len(json["services"]["sync"]) == len(pages)
    assert json["services"]["scoring"][0]["items"] == [{"b": 1}]
    Outline(html)
    assert "could not tell what it holds (it answered 503)" in html
    assert "This is not all: sync" in html


async def test_nothing_that_anybody_has_typed_becomes_part_of_the_page() -> None:
    _, html = await exported(Fake(HOSTILE, [{HOSTILE: HOSTILE, "deep": {"list": [HOSTILE, None, True, [], {}]}}]))
    outline = Outline(html)
    assert not outline.seen & {"script", "onload", "onerror", "iframe", "img"}
    assert "<script" not in html


async def archive_of(folder: Folder, *others: Fake) -> bytes:
    ann, exporting = contact(name="Ann"), Disclosing(OWN, others, folder)
    pieces = Archive(ann, NOW).written(exporting.all_of(ann, None), await folder.of([]), folder)
    return b"".join([piece async for piece in pieces])


async def test_an_archive_has_data_and_page_of_the_same_answers_and_each_document_that_both_name() -> None:
    items = [{"id": "one"}, {"id": "two"}]
    packed = await archive_of(Folder(one=b"abcd", two=b"efgh"), Papers(items), Fake("sync", [{"a": 1}]))
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.testzip() is None
        *papers, data, page = archive.namelist()
        assert (data, page) == ("data.json", "index.html")
        assert [archive.read(one) for one in papers] == [b"abcd", b"efgh"]
        told, html = orjson.loads(archive.read(data)), archive.read(page).decode()
    assert (told["complete"], told["missing"]) == (True, {})
    [section] = [part for part in told["services"]["papers"] if part["items"]]
    assert [one["file"] for one in section["items"]] == papers
    assert told["services"]["sync"][0]["items"] == [{"a": 1}]
    outline = Outline(html)
    assert not outline.seen & {"script", "onload", "img"}
    for one in papers:
        assert f'href="{quote(one)}"' in html


async def test_a_document_that_is_not_there_any_more_is_said_to_be_missing() -> None:
    packed = await archive_of(Folder(one=b"abc", two=b"efgh"), Papers([{"id": "one"}, {"id": "two"}, {"id": "new"}]))
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        told, html = orjson.loads(archive.read("data.json")), archive.read("index.html").decode()
    assert (told["complete"], told["missing"]) == (False, {"documents": "2 of them could not be enclosed"})
    assert "This is not all: documents" in html


async def test_an_archive_that_breaks_off_cannot_be_taken_for_a_whole_one() -> None:
    packed = await archive_of(Folder(one=b"abcd"), Fake("sync", [{"a": 1}]))
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(packed[: -len(packed) // 4]))


class Papers(Fake):
    """Tells documents as contacts does."""

    def __init__(self, items: Sequence[Mapping[str, Any]]) -> None:
        super().__init__("papers")
        self.items = items

    async def pages(self, customers: Sequence[str], purpose: str | None) -> AsyncIterator[HeldPage]:
        found = [HeldItem(section="documents", data=dict(one)) for one in self.items]
        yield HeldPage(service=self.service, about={"documents": "Papers."}, items=found)


class Stub:
    """A service over HTTP that answers as it is told to."""

    def __init__(self, *answers: tuple[int, Any]) -> None:
        self.answers = list(answers)
        self.asked: list[Request] = []
        self.app = FastAPI()
        self.app.add_api_route("/v1/customers/{customer}/held", self.answer)

    async def answer(self, request: Request) -> Any:
        self.asked.append(request)
        status, body = self.answers.pop(0)
        return aiohttp_like(status, body)


def aiohttp_like(status: int, body: Any) -> Any:
    from fastapi.responses import Response

    return Response(orjson.dumps(body), status, media_type="application/json")


def page(*numbers: int, following: str | None = None) -> dict[str, Any]:
    items = [{"section": "s", "data": {"n": n}} for n in numbers]
    return {"service": "sync", "about": {"s": "S."}, "items": items, "next": following}


async def told(stub: Stub) -> list[int]:
    async with serving(stub.app) as client:
        holder = Holder("sync", str(client._base_url), "rk_key", patience=(0.0,))
        await holder.open()
        try:
            return [item.data["n"] async for one in holder.pages(["ann", "anna"], "Asked") for item in one.items]
        finally:
            await holder.close()


@pytest.mark.integration
async def test_pages_are_followed_with_all_ids_and_a_passing_failure_is_tried_again() -> None:
    stub = Stub((503, {}), (200, page(1, following="c1")), (200, page(2)))
    assert await told(stub) == [1, 2]
    last = stub.asked[-1]
    assert (last.url.path, last.query_params.getlist("also"), last.query_params["cursor"]) == (
        "/v1/customers/ann/held",
        ["anna"],
        "c1",
    )
    assert (last.headers["authorization"], last.headers["x-purpose"]) == ("Bearer rk_key", "Asked")


@pytest.mark.integration
@pytest.mark.parametrize(
    "answers",
    [
        [(503, {}), (503, {})],
        [(200, {"no": "page"}), (200, [])],
        [(200, page(1, following="c")), (200, page(1, following="c"))],
        [(403, {}), (403, {})],
    ],
)
async def test_a_service_that_fails_lies_or_goes_round_in_circles_is_no_answer(answers: list[Any]) -> None:
    with pytest.raises(NoAnswer):
        await told(Stub(*answers))


@pytest.mark.integration
async def test_a_service_that_is_away_is_no_answer() -> None:
    holder = Holder("sync", "http://127.0.0.1:9", "rk_key", patience=())
    await holder.open()
    with pytest.raises(NoAnswer):
        await asyncio.wait_for(anext(holder.pages(["ann"], None)), 10)
    await holder.close()
    assert isinstance(holder._http, aiohttp.ClientSession)
