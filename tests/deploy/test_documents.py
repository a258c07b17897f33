"""What the documents name exists: pages, files, tests, modules, commands, settings with their defaults. What they say of these
is for readers to judge.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic_settings import BaseSettings

from deploy.local.cli import app
from deploy.local.layout import ROOT
from services.campaigns.settings import CampaignSettings
from services.contacts.settings import ContactSettings
from services.interactions.settings import Settings as InteractionSettings
from services.scoring.settings import ScoringSettings
from services.sync.settings import SyncSettings
from shared.settings import PlatformSettings

PLACES = ("services", "shared", "deploy", "demo", "tests", "docs", "requirements")
PAGES = sorted([*ROOT.glob("*.md"), *(page for place in PLACES for page in (ROOT / place).rglob("*.md"))])
PROGRAMS = sorted(program for place in PLACES for program in (ROOT / place).rglob("*.py"))
SERVICES = sorted(page.parent for page in (ROOT / "services").glob("*/README.md"))
LAYERS = ("api", "domain", "handlers", "store", "clients", "main", "formats", "evaluation", "report")
SETTINGS: dict[str, type[BaseSettings]] = {
    "docs/ARCHITECTURE.md": PlatformSettings,
    "services/campaigns/README.md": CampaignSettings,
    "services/contacts/README.md": ContactSettings,
    "services/interactions/README.md": InteractionSettings,
    "services/scoring/README.md": ScoringSettings,
    "services/sync/README.md": SyncSettings,
}


def found(pattern: str, pages: Sequence[Path] = PAGES) -> Iterator[tuple[Path, re.Match[str]]]:
    for page in pages:
        for match in re.finditer(pattern, page.read_text(), re.MULTILINE):
            yield page, match


def told(page: Path, match: re.Match[str]) -> str:
    return f"{page.relative_to(ROOT)}: {match[0].strip()}"


def test_links_lead_somewhere_and_a_decision_s_number_is_that_of_its_page() -> None:
    links = list(found(r"\[([^\]]*)\]\((?!https?:)([^)#\s]+)[^)]*\)"))
    assert links
    assert [told(page, link) for page, link in links if not (page.parent / link[2]).exists()] == []
    numbered = [(page, link) for page, link in links if "/decisions/0" in link[2] and re.search(r"\d{4}", link[1])]
    assert numbered
    assert [told(page, link) for page, link in numbered if link[1][-4:] not in link[2]] == []


def test_files_are_where_the_documents_say() -> None:
    named = list(found(rf"`((?:{'|'.join((*PLACES, *LAYERS))})/[\w./-]+)(?:::(\w+))?`"))
    assert named
    assert [told(page, name) for page, name in named if not _there(page, name[1], name[2])] == []


def _there(page: Path, name: str, test: str | None) -> bool:
    """From the root; the layers of a service from a service: the page's own, else any."""
    homes = [ROOT] if name.startswith(PLACES) else [page.parent] if page.parent in SERVICES else SERVICES
    files = [home / name for home in homes] + [home / f"{name}.py" for home in homes]
    return any(file.exists() and (test is None or f"def {test}(" in file.read_text()) for file in files)


def test_modules_and_verbs_of_make_are_there_to_be_run() -> None:
    modules = list(found(r"python -m ((?:tests|deploy|demo|services)(?:\.\w+)+)"))
    assert modules
    assert [told(page, module) for page, module in modules if not _runs(module[1])] == []
    verbs = list(found(r"(?:`|^)make ([a-z]+)"))
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert verbs
    assert [told(page, verb) for page, verb in verbs if verb[1] not in targets] == []


def _runs(module: str) -> bool:
    path = ROOT / module.replace(".", "/")
    return path.with_suffix(".py").exists() or (path / "__main__.py").exists()


def test_commands_of_rapport_are_there_also_those_that_the_code_speaks_of() -> None:
    named = list(found(r"(?:^|`|bin/|&& )rapport((?: [a-z][a-z-]+)+)", PAGES))
    named += found(r"`rapport((?: [a-z][a-z-]+)+)", PROGRAMS)
    assert named
    assert [told(page, name) for page, name in named if not _command(name[1].split())] == []


def _command(words: Sequence[str]) -> bool:
    """Whether each word is a verb of the one before, up to one that takes no further verb."""
    command: Any = typer.main.get_command(app)
    for word in words:
        if not (verbs := getattr(command, "commands", None)):
            return True
        if word not in verbs:
            return False
        command = verbs[word]
    return True


def variables(settings: type[BaseSettings]) -> dict[str, Any]:
    """The environment variables that it reads beyond what every service reads, with their defaults."""
    shared = {} if settings is PlatformSettings else PlatformSettings.model_fields
    return {
        str(field.validation_alias or f"RAPPORT_{name.upper()}"): field.default
        for name, field in settings.model_fields.items()
        if name not in shared
    }


@pytest.mark.parametrize("page", SETTINGS)
def test_each_setting_is_in_the_table_of_its_page_with_its_default(page: str) -> None:
    rows = [row.split(" | ") for row in (ROOT / page).read_text().splitlines() if row.startswith("| `")]
    cells = {name: row[1] for row in rows for name in re.findall(r"`([A-Z0-9_]+)`", row[0])}
    wanted = variables(SETTINGS[page])
    assert [name for name in wanted if name not in cells] == []
    assert {
        name: default for name, default in wanted.items() if (text := _plain(default)) and not _says(cells[name], text)
    } == {}


def _plain(default: object) -> str:
    """As a table shows it; empty where it takes words to say: none, addresses, lists."""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, int | float):
        return f"{default:.10g}"
    return default if isinstance(default, str) and ":" not in default else ""


def _says(cell: str, default: str) -> bool:
    return default in re.split(r"[`, ]+", cell)


def test_no_document_speaks_of_a_variable_that_nothing_reads() -> None:
    read = {name for settings in SETTINGS.values() for name in variables(settings)}
    local = [program for program in PROGRAMS if program.is_relative_to(ROOT / "deploy")]
    read |= {name[1] for _, name in found(r"[\"'](RAPPORT_[A-Z0-9_]+)[\"']", local)}
    named = list(found(r"RAPPORT_[A-Z0-9_]*[A-Z0-9]"))
    assert named
    assert [told(page, name) for page, name in named if name[0] not in read] == []
