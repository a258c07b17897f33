"""Which instances come back under their name."""

import pytest

from shared.settings import PlatformSettings


def test_a_name_given_from_outside_lasts_and_one_made_here_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAPPORT_INSTANCE", raising=False)
    assert not PlatformSettings().lasting_name
    monkeypatch.setenv("RAPPORT_INSTANCE", "sync-1")
    assert PlatformSettings().lasting_name
