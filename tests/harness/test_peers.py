"""The comparison's own judgement: what is read, what is counted, what is refused. Nobody is measured here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from tests.bench.peers import environment
from tests.bench.peers.field import BY_NAME, FIELD
from tests.bench.peers.table import row, void
from tests.bench.peers.turns import Failed, Ground, Outcome, events_of, once, play
from tests.bench.peers.work import Job, Ledger, Meter, Purchase, batch_writes, expected, headers, value

EVENTS = 1_000
CORE = BY_NAME["core"]
JOB = Job("core", "nowhere:1", "mongodb://nowhere", "bench-", "bench-core", EVENTS, None, "/nonexistent")
MakePeer = Callable[[str], Ground]


def ledger_of(numbers: range, events: int = EVENTS) -> Ledger:
    ledger = Ledger()
    ledger.add_all(Purchase.model_validate_json(value(number, events)) for number in numbers)
    return ledger


def good_answer(**changed: Any) -> dict[str, Any]:
    figures = {"cpu_per_million": 10.0, "database_cpu_per_million": None, "per_second": 1000.0}
    return {**figures, "seen": EVENTS, "check": asdict(expected(EVENTS)), "versions": {"rapport": "1"}, **changed}


@pytest.fixture
def make_peer(tmp_path: Path) -> MakePeer:
    """A ground whose interpreter is a shell script, so that a peer can misbehave as it likes."""

    def make(script: str) -> Ground:
        peer = tmp_path / "python"
        peer.write_text(f"#!/bin/sh\n{script}\n")
        peer.chmod(0o755)
        return Ground(peer, "nowhere:1", "mongodb://nowhere", "bench", tmp_path, 20.0)

    return make


def answering(answer: dict[str, Any]) -> str:
    return f"echo chatter of the library; cat <<'END'\n{json.dumps(answer)}\nEND"


def test_an_event_has_about_400_bytes_and_folding_all_of_them_gives_what_is_expected() -> None:
    assert 380 <= len(value(EVENTS // 2, EVENTS)) <= 440
    assert ledger_of(range(EVENTS)).check() == expected(EVENTS)


def test_a_lost_a_doubled_and_a_misread_event_are_all_seen() -> None:
    truth = expected(EVENTS)
    assert ledger_of(range(EVENTS - 1)).check() != truth
    doubled = ledger_of(range(EVENTS))
    doubled.add(Purchase.model_validate_json(value(7, EVENTS)))
    assert doubled.check() != truth
    for found in (replace(truth, money="0.00"), replace(truth, customers=truth.customers - 1)):
        assert found != truth


def test_batches_written_one_after_another_add_up_to_everything() -> None:
    writes = [
        write
        for begin in range(0, EVENTS, 100)
        for write in batch_writes(
            [Purchase.model_validate_json(value(number, EVENTS)) for number in range(begin, begin + 100)]
        )
    ]
    documents: list[Any] = [write._doc for write in writes]
    increments = [document["$inc"] for document in documents]
    assert sum(i["count"] for i in increments) == EVENTS
    assert str(sum(i["total"].to_decimal() for i in increments)) == expected(EVENTS).money


def test_the_sequences_of_our_records_rise() -> None:
    found = [dict(headers(number))["ce_sequence"] for number in range(300)]
    assert found == sorted(set(found))


def test_the_meter_counts_from_the_first_record_and_stops_at_the_last() -> None:
    meter = Meter(replace(JOB, events=30))
    meter.begin(skipped=10)
    meter.begin(skipped=99)
    complete = []
    for _ in range(3):
        meter.add(10)
        complete.append((meter.complete, meter.done.is_set()))
    assert complete == [(False, False), (False, False), (True, True)]
    first = meter.result()
    assert first == meter.result()
    assert meter.skipped == 10
    assert first["database_cpu_per_million"] is None


def test_a_meter_that_has_not_seen_everything_has_no_result() -> None:
    meter = Meter(JOB)
    with pytest.raises(AssertionError, match="no record"):
        meter.result()
    meter.begin()
    meter.add(EVENTS - 1)
    with pytest.raises(AssertionError, match="not all"):
        meter.result()


def test_an_answer_is_the_last_line_that_a_peer_prints(make_peer: MakePeer) -> None:
    assert once(make_peer(answering(good_answer())), CORE, EVENTS, 0) == good_answer()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (good_answer(check={**asdict(expected(EVENTS)), "events": EVENTS + 1}), "wrong result"),
        (good_answer(check={**asdict(expected(EVENTS)), "money": "1.00"}), "wrong result"),
        (good_answer(check=None, seen=EVENTS - 1), "wrong result"),
        ({"error": "ModuleNotFoundError: No module named 'faust'"}, "No module named 'faust'"),
    ],
)
def test_a_wrong_result_or_an_error_is_refused_with_its_reason(
    make_peer: MakePeer, answer: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Failed, match=reason):
        once(make_peer(answering(answer)), CORE, EVENTS, 0)


def test_a_peer_that_crashes_or_hangs_is_refused_too(make_peer: MakePeer) -> None:
    with pytest.raises(Failed, match="out of luck"):
        once(make_peer("echo out of luck >&2; exit 7"), CORE, EVENTS, 0)
    with pytest.raises(Failed, match="not done within"):
        once(replace(make_peer("exec sleep 60"), timeout=0.2), CORE, EVENTS, 0)


def test_who_fails_is_out_and_stays_in_the_table_with_the_reason(make_peer: MakePeer) -> None:
    said: list[str] = []
    outcomes = play(make_peer("echo no such peer >&2; exit 1"), [CORE, BY_NAME["faust"]], EVENTS, 3, said.append)
    assert len(said) == 2
    assert row(BY_NAME["faust"], outcomes)["error"] == "no such peer"
    assert void(outcomes) == "core: no such peer"


def test_medians_are_set_against_the_core_over_the_same_state() -> None:
    def outcome(*cpu: float) -> Outcome:
        return Outcome(EVENTS, [good_answer(cpu_per_million=figure) for figure in cpu])

    outcomes = {"core": outcome(9, 10, 50), "core-mongo": outcome(20), "faust": outcome(99, 100, 101),
                "faust-mongo": outcome(100)}  # fmt: skip
    assert row(BY_NAME["faust"], outcomes)["x core"] == 10
    assert row(BY_NAME["faust-mongo"], outcomes)["x core"] == 5
    assert row(CORE, outcomes)["CPU s/M"] == 10
    assert void(outcomes) == ""


def test_every_line_of_the_field_names_a_function_that_exists() -> None:
    place = Path(environment.__file__).parent / "variants"
    for variant in FIELD:
        module, _, function = variant.does.partition(":")
        assert f"def {function}(job: Job, meter: Meter)" in (place / f"{module}.py").read_text(), variant.name
        assert 0 < events_of(variant, EVENTS) <= EVENTS
    assert len(BY_NAME) == len(FIELD)


def test_an_environment_is_kept_while_its_lock_stays_the_same(tmp_path: Path) -> None:
    lock, place = tmp_path / "peers.txt", tmp_path / "venv"
    lock.write_text("faust-streaming==0.15.3")
    place.mkdir()
    (place / "made-of").write_text(hashlib.sha256(lock.read_bytes()).hexdigest())
    assert environment.python(print, place, lock) == place / "bin/python"


def test_an_environment_that_cannot_be_made_is_said_with_the_reason(tmp_path: Path) -> None:
    in_the_way = tmp_path / "venv"
    in_the_way.write_text("a file, no directory")
    with pytest.raises(environment.NotInstalled, match="venv"):
        environment.python(lambda _: None, in_the_way)


def test_the_lock_names_no_package_index() -> None:
    text = environment.LOCK.read_text()
    assert "://" not in text
    for package in ("bytewax", "confluent-kafka", "faust-streaming", "quixstreams", "aiokafka", "faststream"):
        assert f"\n{package}==" in text
