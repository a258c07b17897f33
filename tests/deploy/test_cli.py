"""The `rapport` program: its help, its errors, and what it says when nothing runs."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from typer.testing import CliRunner, Result

from deploy.local.cli import app
from deploy.local.cli.main import run
from deploy.local.servers import VARIABLES

COMMANDS = (
    "up",
    "down",
    "status",
    "logs",
    "topics",
    "partitions",
    "rebuild",
    "servers",
    "demo",
    "dead-letters",
    "contacts",
    "scoring",
    "version",
)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform that has never run, whatever else runs on this machine."""
    monkeypatch.setenv("RAPPORT_STATE", str(tmp_path))
    monkeypatch.setenv("RAPPORT_PORT_BASE", "18800")
    for variable in (*VARIABLES.values(), "RAPPORT_URL", "RAPPORT_KEY"):
        monkeypatch.delenv(variable, raising=False)


def rapport(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_help_names_every_command_and_every_command_has_help() -> None:
    whole = rapport("--help")
    assert whole.exit_code == 0
    for command in COMMANDS:
        assert command in whole.output
        one = rapport(command, "--help")
        assert one.exit_code == 0
        assert len(one.output.splitlines()) > 8, f"{command} says little about itself"
    assert len(run.registered_commands) + len(run.registered_groups) == len(COMMANDS)


def test_down_does_nothing_where_nothing_runs() -> None:
    for _ in range(2):
        result = rapport("down")
        assert (result.exit_code, result.output.strip()) == (0, "nothing was running")


def test_status_of_nothing_says_stopped_and_fails() -> None:
    result = rapport("status")
    assert result.exit_code == 1
    assert result.output.count("stopped") == 9


def test_a_wrong_port_base_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_PORT_BASE", "here")
    for command in ("up", "down", "status"):
        result = rapport(command)
        assert result.exit_code == 1
        assert "RAPPORT_PORT_BASE must be a number" in result.output


def test_logs_of_an_unknown_name_names_the_known_ones() -> None:
    result = rapport("logs", "contcats")
    assert result.exit_code == 2
    assert "contacts" in result.output


def test_logs_shows_the_end(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log/kafka.log").write_text("\n".join(f"line {number}" for number in range(100)))
    assert rapport("logs", "kafka", "-n", "2").output == "line 98\nline 99\n"


def test_dead_letters_without_a_platform_says_what_to_do() -> None:
    result = rapport("dead-letters", "list")
    assert result.exit_code == 1
    assert "rapport up" in result.output


def test_a_key_is_needed_for_another_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_URL", "https://rapport.example")
    result = rapport("dead-letters", "list")
    assert result.exit_code == 1
    assert "RAPPORT_KEY" in result.output


@asynccontextmanager
async def answering(monkeypatch: pytest.MonkeyPatch, answers: dict[str, tuple[int, Any]]) -> AsyncIterator[list[str]]:
    """A platform that gives these answers; yields what it was asked."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(f"{request.method} {request.path_qs} {(await request.text()) or ''}".strip())
        assert request.headers["Authorization"] == "Bearer rk_x"
        status, body = answers[request.path_qs]
        return web.json_response(body, status=status)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    monkeypatch.setenv("RAPPORT_URL", f"http://127.0.0.1:{runner.addresses[0][1]}")
    monkeypatch.setenv("RAPPORT_KEY", "rk_x")
    try:
        yield asked
    finally:
        await runner.cleanup()


async def test_dead_letters_are_listed_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    letters = [letter(number) for number in range(3)]
    pages = {
        "/v1/dead-letters?limit=3&reason=malformed&status=open": (200, {"items": letters[:2], "next": "more"}),
        "/v1/dead-letters?limit=1&cursor=more&reason=malformed&status=open": (
            200,
            {"items": letters[2:], "next": None},
        ),
    }
    only = ("dead-letters", "list", "--reason", "malformed", "--limit", "3")
    async with answering(monkeypatch, pages):
        listed = await asyncio.to_thread(rapport, *only, "--json")
        told = await asyncio.to_thread(rapport, *only)
    assert json.loads(listed.output) == letters
    assert "d2  malformed  open" in told.output
    assert "interactions could not take crm.x.v1 from /channels/shop (crm.inbound 1/2): not JSON" in told.output


def letter(number: int) -> dict[str, Any]:
    place = {"topic": "crm.inbound", "partition": 1, "offset": number, "first_seen": "2026-11-22T04:11:46Z"}
    known = {"source": "/channels/shop", "type": "crm.x.v1", "handler": "interactions", "status": "open"}
    return {"id": f"d{number}", "reason": "malformed", "detail": "not JSON", **place, **known}


async def test_one_dead_letter_or_a_whole_reason_is_sent_back(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"/v1/dead-letters/d1/replay": (200, {"replayed": 1}), "/v1/dead-letters/replay": (200, {"replayed": 7})}
    async with answering(monkeypatch, answers) as asked:
        await asyncio.to_thread(rapport, "dead-letters", "replay", "d1")
        many = await asyncio.to_thread(rapport, "dead-letters", "replay", "--reason", "unknown-type")
    assert asked == ["POST /v1/dead-letters/d1/replay {}", 'POST /v1/dead-letters/replay {"reason": "unknown-type"}']
    assert json.loads(many.output) == {"replayed": 7}


@pytest.mark.parametrize("arguments", [(), ("d1", "--all"), ("d1", "--reason", "empty")])
def test_what_to_replay_must_be_said_once(arguments: tuple[str, ...]) -> None:
    assert rapport("dead-letters", "replay", *arguments).exit_code == 2


async def test_a_refusal_is_told_with_the_field_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = {"title": "Unprocessable", "detail": "No.", "errors": [{"field": "query.reason", "message": "unknown"}]}
    async with answering(monkeypatch, {"/v1/dead-letters?limit=50&reason=x&status=open": (422, problem)}):
        result = await asyncio.to_thread(rapport, "dead-letters", "list", "--reason", "x")
    assert result.exit_code == 1
    assert "422 Unprocessable: No." in result.output
    assert "query.reason: unknown" in result.output
