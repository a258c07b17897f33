"""When a consumer counts as stuck, and when it does not."""

from shared.messaging.progress import Progress

STUCK_AFTER = 10.0


def test_a_batch_in_hand_for_too_long_is_overdue() -> None:
    progress = Progress(STUCK_AFTER, 0.0)
    progress.began(5.0)
    progress.idle(14.0)
    assert not progress.overdue(15.0)
    assert progress.overdue(15.1)


def test_waiting_records_that_nobody_takes_are_overdue() -> None:
    assert Progress(STUCK_AFTER, 0.0).overdue(10.1)


def test_whoever_has_nothing_to_do_is_never_overdue() -> None:
    progress = Progress(STUCK_AFTER, 0.0)
    for second in range(0, 100, 9):
        progress.idle(float(second))
        assert not progress.overdue(second + 9.0)


def test_failing_is_getting_on() -> None:
    progress = Progress(STUCK_AFTER, 0.0)
    progress.began(50.0)
    progress.ended(55.0, failed=True)
    assert progress.failing
    assert not progress.overdue(64.0)


def test_success_ends_failing() -> None:
    progress = Progress(STUCK_AFTER, 0.0, failing=True)
    progress.began(1.0)
    progress.ended(2.0, failed=False)
    assert not progress.failing
