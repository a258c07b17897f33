"""`rapport contacts import` and `export` at the terminal, against contacts as it runs: real servers."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deploy.local.cli import app
from services.contacts.main import create
from services.contacts.settings import ContactSettings
from shared.security import new_key
from shared.settings import PlatformSettings
from tests.web import serving

pytestmark = pytest.mark.integration

FILE = "Kundennr;Nachname;Vorname;E-Mail;Ort\n1;Groß;Jürgen;j@gross.de;Köln\n2;Meyer;;keine;Bonn\n;Niemand;;;\n"


@pytest.fixture
async def platform(
    settings: PlatformSettings, topics: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[None]:
    _, key, sha256 = new_key()
    async with serving(
        create(ContactSettings(**settings.model_dump() | {"admin_key_sha256": sha256})), key=key
    ) as client:
        monkeypatch.setenv("RAPPORT_URL", str(client._build_url("/")))
        monkeypatch.setenv("RAPPORT_KEY", key)
        yield


async def rapport(*words: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, ("contacts", *words))


@pytest.mark.usefixtures("platform")
async def test_a_file_is_proposed_rehearsed_imported_exported_and_imported_again(tmp_path: Path) -> None:
    file, rejected, out = tmp_path / "kunden.csv", tmp_path / "rejected.csv", tmp_path / "all.csv"
    file.write_text(FILE, encoding="cp1252")
    told = await rapport("import", str(file), "--mapping", "kunden", "--propose", "--dry-run")
    assert told.exit_code == 1, told.output
    assert "3 rows: 2 would be new, 0 would be changed, 0 would be unchanged, 1 would be rejected" in told.output
    told = await rapport("import", str(file), "--mapping", "kunden", "--rejected", str(rejected))
    assert told.exit_code == 1
    assert "no-identity: 1" in told.output
    assert "Niemand" in rejected.read_text()
    told = await rapport("export", str(out))
    assert told.exit_code == 0, told.output
    assert len(out.read_text().splitlines()) == 3
    told = await rapport("import", str(out), "--mapping", "ours", "--propose")
    assert told.exit_code == 0, told.output
    assert "2 rows: 0 new, 0 changed, 2 unchanged, 0 rejected" in told.output


@pytest.mark.usefixtures("platform")
async def test_what_cannot_be_done_is_said_in_words(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("a,b\n1,2\n")
    told = await rapport("import", str(file), "--mapping", "none")
    assert told.exit_code == 1
    assert "There is no mapping none" in told.output
    assert (await rapport("export", str(tmp_path / "x.doc"))).exit_code == 2
    broken = tmp_path / "m.json"
    broken.write_text("{")
    told = await rapport("import", str(file), "--mapping", "m", "--mapping-file", str(broken))
    assert told.exit_code == 2
