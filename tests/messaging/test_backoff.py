"""Waits double up to a limit, and differ between clients."""

from shared.messaging.backoff import Backoff


def test_waits_double_up_to_the_limit() -> None:
    backoff = Backoff(first=0.1, most=1.0)
    for ceiling in (0.1, 0.2, 0.4, 0.8, 1.0, 1.0):
        assert ceiling / 2 <= backoff.next() <= ceiling


def test_after_success_it_begins_again() -> None:
    backoff = Backoff(first=0.1, most=1.0)
    for _ in range(1000):
        backoff.next()
    backoff.reset()
    assert backoff.next() <= 0.1


def test_two_clients_do_not_come_back_at_once() -> None:
    assert len({Backoff().next() for _ in range(20)}) > 10
