"""The bench's statistics: percentiles, slopes, and when each event's effect was there."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.bench.trial.arrivals import UNKNOWN, Arrival, NotADelivery, read, read_body, written
from tests.bench.trial.figures import Due, percentile, percentiles, slope, waits
from tests.bench.trial.load import Load, Planned
from tests.bench.trial.outcome import Outcome, Sample
from tests.load.mix import mix_on
from tests.load.plan import messages

BODY = (
    b'{"channel":"bench","customer_id":"019b0000-0000-7000-8000-00000000000a","version":7,"customer":{"contact":'
    b'{"identifiers":[{"scheme":"till","value":"till-0000012"},{"scheme":"loyalty-card","value":"card-0000012"}]},'
    b'"sales":{"orders":3,"total":"31.50"},"interactions":2}}'
)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 50), (0.95, 95), (0.99, 99), (0.999, 100), (1.0, 100), (0.001, 1)]
)
def test_a_percentile_is_the_smallest_value_not_below_its_share(share: float, expected: float) -> None:
    assert percentile([float(n) for n in range(1, 101)], share) == expected


def test_percentiles_need_no_order_and_of_nothing_there_are_none() -> None:
    assert percentiles([3.0, 1.0, 2.0])["p50"] == 2.0
    assert percentiles([7.0]) == {"p50": 7.0, "p95": 7.0, "p99": 7.0, "p99.9": 7.0}
    assert percentiles([]) == {}


def test_a_slope_is_what_grows_per_second() -> None:
    assert slope([(0.0, 5.0), (1.0, 7.0), (2.0, 9.0)]) == pytest.approx(2.0)
    assert slope([(0.0, 5.0), (1.0, 5.0)]) == 0.0
    assert slope([(0.0, 5.0)]) == slope([]) == 0.0


def test_a_stall_at_the_end_is_no_growth() -> None:
    flat = [(float(second), 100.0) for second in range(20)]
    assert slope([*flat[:-1], (19.0, 900.0)]) == 0.0
    assert slope([(at, y + 10 * at) for at, y in flat]) == pytest.approx(10.0)
    assert slope([(1.0, 5.0)]) == 0.0


def test_an_event_waits_until_its_customers_count_has_got_so_far() -> None:
    events = [Due(0.0, 1, 1), Due(1.0, 1, 2), Due(1.5, 2, 1), Due(2.0, 1, 3)]
    moments = {1: [(0.5, 1), (2.5, 3)], 2: [(1.6, 1)]}
    found, missing = waits(events, moments)
    assert found == pytest.approx([0.5, 1.5, 0.1, 0.5])
    assert missing == 0


def test_an_effect_that_never_comes_is_missing_and_not_fast() -> None:
    found, missing = waits([Due(0.0, 1, 1), Due(1.0, 1, 2), Due(0.0, 9, 1)], {1: [(0.5, 1)]})
    assert found == [0.5]
    assert missing == 2


def test_a_delivery_is_read_without_decoding_it() -> None:
    arrival = read_body(BODY, 1, 5.0)
    assert arrival == Arrival(5.0, 1, b"019b0000-0000-7000-8000-00000000000a", 12, 3, 2)


def test_a_view_without_contact_belongs_to_a_customer_unknown_so_far() -> None:
    arrival = read_body(BODY.replace(b"card-", b"none"), 0, 5.0)
    assert arrival.customer == UNKNOWN
    with pytest.raises(NotADelivery):
        read_body(b"{}", 0, 5.0)


def test_arrivals_are_read_as_they_were_written_and_half_a_record_is_left(tmp_path: Path) -> None:
    told = [read_body(BODY, channel, float(channel)) for channel in (0, 1, 0)]
    file = tmp_path / "arrivals"
    file.write_bytes(b"".join(map(written, told)) + written(told[0])[:10])
    assert list(read(file)) == told
    assert list(read(file, len(written(told[0])))) == told[1:]


def test_a_plan_counts_what_the_load_will_send() -> None:
    mix: dict[str, Any] = {"customers": 20, "tag": "t"}
    load = Load(100.0, 500, "http", 3, mix)
    planned, sent = load.planned(), list(messages(mix_on("http", **mix), 500, 3))
    assert planned.count("sale") + planned.count("interaction") + planned.count("contact") == 500
    assert planned.total == sum((message.entry.total for message in sent), Decimal(0))
    assert planned.visible == planned.visible_until(500) == 500 - planned.count("contact")
    sales = [message.entry.customer for message in sent if message.entry.kind == "sale"]
    due = list(planned.due("sale", 10.0, 100.0, Counter({sales[0]: 5})))
    assert [one.customer for one in due] == sales
    assert due[0].nth == 6
    assert planned.per_customer("sale") == Counter(sales)


def test_a_plan_says_when_which_event_is_due() -> None:
    planned = Planned()
    planned.customers.extend([4, 4, 5])
    planned.kinds.extend([0, 1, 0])
    assert list(planned.due("sale", 2.0, 10.0, Counter())) == [Due(2.0, 4, 1), Due(2.2, 5, 1)]


def outcome_of(samples: Sequence[Sample], tmp_path: Path, arrived: float, rate: float = 100.0) -> Outcome:
    """1,000 sales of one customer, the last of them in both channels at `arrived`."""
    planned = Planned()
    planned.customers.extend([1] * 1000)
    planned.kinds.extend([0] * 1000)
    file = tmp_path / "arrivals"
    file.write_bytes(b"".join(written(Arrival(arrived, channel, b"x" * 36, 1, 1000, 0)) for channel in (0, 1)))
    load = Load(rate, 1000, "kafka", 0)
    return Outcome(load, planned, {"sale": Counter(), "interaction": Counter()}, 0.0, list(samples), arrivals_file=file)


def test_a_flat_lag_is_sustained(tmp_path: Path) -> None:
    samples = [Sample(at / 10, (at * 10 - 20, at * 10 - 10)) for at in range(5, 100)]
    outcome = outcome_of(samples, tmp_path, arrived=10.2)
    assert outcome.lags[0][1] == pytest.approx(21, abs=1)
    assert outcome.growth == pytest.approx(0, abs=0.5)
    assert outcome.drained == pytest.approx(0.21)
    assert outcome.unsustained == ""


def test_a_growing_lag_is_not(tmp_path: Path) -> None:
    samples = [Sample(at / 10, (at * 7, at * 10)) for at in range(100)]
    outcome = outcome_of(samples, tmp_path, arrived=10.2)
    assert outcome.growth == pytest.approx(30, abs=1)
    assert "lag grew" in outcome.unsustained


def test_whoever_is_far_behind_at_the_end_has_not_sustained_it(tmp_path: Path) -> None:
    samples = [Sample(at / 10, (at * 10, at * 10)) for at in range(100)]
    assert "behind at the end" in outcome_of(samples, tmp_path, arrived=13.0).unsustained


def test_a_delivery_that_tells_no_more_events_is_no_draining(tmp_path: Path) -> None:
    outcome = outcome_of([], tmp_path, arrived=10.2)
    with outcome.arrivals_file.open("ab") as file:
        file.write(written(Arrival(60.0, 0, b"x" * 36, 1, 1000, 0)))
    assert outcome.drained == pytest.approx(0.21)


def test_latency_counts_every_event_from_its_intended_time(tmp_path: Path) -> None:
    outcome = outcome_of([], tmp_path, arrived=20.0)
    figures, count, missing = outcome.latencies()["webhook"]
    assert (count, missing) == (1000, 0)
    assert figures["p50"] == pytest.approx(1000 * (20.0 - 4.995), abs=20)
    assert figures["p99.9"] == pytest.approx(20_000, abs=20)


def test_a_trial_with_wrong_signatures_or_a_late_generator_is_void(tmp_path: Path) -> None:
    outcome = outcome_of([], tmp_path, arrived=10.0)
    assert outcome.void == ""
    outcome.generator = {"void": "3 of 100 messages left late"}
    assert outcome.void == "3 of 100 messages left late"
    outcome.receivers = {"wrong_signatures": 1}
    assert "signed wrongly" in outcome.void
    outcome.receivers = {"backwards": 2}
    assert "older" in outcome.void
