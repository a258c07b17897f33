"""Keys that are known to be frequent are not asked for, for a while."""

import pytest

from services.contacts.store import frequent
from services.contacts.store.frequent import FORGOTTEN_SECONDS, FrequentKeys


class Hand:
    """A clock's."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_what_is_known_is_not_asked_for_until_it_is_forgotten() -> None:
    now = Hand()
    keys = FrequentKeys(now)
    keys.add({1, 2})
    assert keys.without([1, 2, 3]) == {3}
    now.seconds = 1.5 * FORGOTTEN_SECONDS
    assert keys.without([1, 2]) == set()
    keys.add({4})
    now.seconds = 2.5 * FORGOTTEN_SECONDS
    assert keys.without([1, 2, 4]) == {1, 2}, "after twice the time at most"
    now.seconds = 99 * FORGOTTEN_SECONDS
    assert keys.without([4]) == {4}


def test_no_more_is_known_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frequent, "MOST", 10)
    keys = FrequentKeys(Hand())
    for key in range(100):
        keys.add({key})
    unknown = keys.without(range(100))
    assert 80 <= len(unknown) <= 90
    assert 99 not in unknown
