"""`rapport contacts link-keys` at the terminal, against contacts as it runs: real servers."""

import pytest

from tests.deploy.test_cli_imports import platform, rapport

__all__ = ["platform"]
pytestmark = pytest.mark.integration


@pytest.mark.usefixtures("platform")
async def test_an_operator_changes_the_key_and_retires_the_old_one() -> None:
    told = await rapport("link-keys", "list")
    assert (told.exit_code, told.output) == (0, "0  since the beginning  signs\n")
    told = await rapport("link-keys", "rotate")
    assert (told.exit_code, told.output) == (0, "key 1 signs\n")
    told = await rapport("link-keys", "retire", "1")
    assert told.exit_code == 1
    assert "make another one first" in told.output
    told = await rapport("link-keys", "retire", "0")
    assert (told.exit_code, told.output) == (0, "key 0 is retired\n")
    [new, old] = (await rapport("link-keys", "list")).output.splitlines()
    assert new.startswith("1  since 2")
    assert new.endswith("signs")
    assert "  retired 2" in old
