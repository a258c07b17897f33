"""Retries, breaker and rate as state machines."""

from hypothesis import given, strategies as st

from services.sync.domain.delivery import SCHEDULE, Breaker, TokenBucket, Way, pause_before, retry_after


def test_attempts_follow_the_schedule_and_end() -> None:
    pauses = [pause_before(attempt, SCHEDULE, 0) for attempt in range(1, 11)]
    assert [pause.total_seconds() for pause in pauses if pause] == list(SCHEDULE)
    assert pauses[-1] is None


def test_jitter_only_lengthens_a_pause() -> None:
    pause = pause_before(2, SCHEDULE, 0.999)
    assert pause is not None
    assert 300 < pause.total_seconds() < 331


def test_a_receiver_may_ask_for_time_but_not_for_ever() -> None:
    assert retry_after("7", 5) == 7
    assert retry_after("1", 5) == 5
    assert retry_after("99999999", 5) == 3600
    assert retry_after("Wed, 21 Oct 2026 07:28:00 GMT", 5) == 5
    assert retry_after("-1", 5) == retry_after("²", 5) == retry_after(None, 5) == 5


def failing(times: int, now: float = 0.0) -> Breaker:
    breaker = Breaker(first_pause=1, longest_pause=8)
    for _ in range(times):
        breaker.failed(now)
    return breaker


def test_a_few_failures_open_nothing() -> None:
    assert failing(4).way(0) is Way.OPEN


def test_a_receiver_that_mostly_fails_is_left_alone_and_then_probed() -> None:
    breaker = failing(5)
    assert (breaker.way(0.9), breaker.way(1.0)) == (Way.BLOCKED, Way.PROBE)


def test_each_failed_probe_doubles_the_pause_up_to_the_longest() -> None:
    breaker, now, pauses = failing(5), 0.0, []
    for _ in range(5):
        assert breaker.resume_at is not None
        pauses.append(breaker.resume_at - now)
        now = breaker.resume_at
        breaker.failed(now)
    assert pauses == [1, 2, 4, 8, 8]


def test_late_answers_of_the_batch_that_opened_it_change_nothing() -> None:
    breaker = failing(5)
    for _ in range(10):
        breaker.failed(0.5)
        breaker.succeeded(0.5)
    assert breaker.resume_at == 1


def test_a_successful_probe_closes_it() -> None:
    breaker = failing(5)
    breaker.succeeded(1)
    breaker.failed(1)
    assert breaker.way(1) is Way.OPEN


def test_one_failing_customer_among_many_opens_nothing() -> None:
    breaker = Breaker()
    for n in range(200):
        breaker.failed(n) if n % 3 == 2 else breaker.succeeded(n)
    assert breaker.way(200) is Way.OPEN


@given(rate=st.floats(0.5, 5000), takes=st.integers(1, 300))
def test_no_more_than_rate_a_second_pass_beyond_the_burst(rate: float, takes: int) -> None:
    bucket = TokenBucket(rate)
    moments = [bucket.take(0.0) for _ in range(takes)]
    assert moments == sorted(moments)
    assert moments[-1] >= (takes - bucket.burst - 1e-6) / rate


def test_an_idle_bucket_fills_no_further_than_its_burst() -> None:
    bucket = TokenBucket(10)
    bucket.take(0)
    assert [bucket.take(1000), bucket.take(1000)] == [0, 0.1]
