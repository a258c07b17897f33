"""What surrounds the judge: sendings, receivers, latencies, colours and exit codes, replay, planted bugs."""

import base64
import dataclasses
import hashlib
import hmac
import json
import random
import subprocess
import sys
from array import array
from collections import Counter
from pathlib import Path

import pytest

from deploy.local.layout import ROOT
from tests.harness.torture_world import World, delivery
from tests.load import CHANNELS
from tests.torture import proof, report, result
from tests.torture.__main__ import arguments, spec_of
from tests.torture.judge import Breach
from tests.torture.latencies import Told, latencies, percentile
from tests.torture.ledger import Ledger
from tests.torture.planted import BUGS
from tests.torture.receivers.behaviour import Behaviour, Manner
from tests.torture.receivers.records import Notes, read_copies, read_deliveries
from tests.torture.receivers.signature import is_signed
from tests.torture.result import Outcome
from tests.torture.sendings import NAMING, load, sent
from tests.torture.spec import Spec
from tests.torture.strikes import Strike
from tests.torture.verdict import Verdict

SPEC = Spec(events=3_000, customers=100, duplicates=0.05)


def test_the_same_seed_sends_the_same_bytes() -> None:
    first, second = ([(m.key, m.value, m.structured) for m in load(SPEC.mix, 500, 7)] for _ in range(2))
    assert first == second
    assert first != [(m.key, m.value, m.structured) for m in load(SPEC.mix, 500, 8)]


def test_the_ledger_says_what_the_bytes_say() -> None:
    kinds: Counter[str] = Counter()
    for message in load(SPEC.mix, SPEC.events, 3):
        line = sent(message)
        kinds[line.kind] += 1
        if line.kind == "poison":
            continue
        told = json.loads(message.value)
        names = {f"{one['scheme']}:{one['value']}" for one in told["customer"]}
        assert {NAMING.customer(name) for name in names} == {line.customer}
        assert NAMING.channels[line.channel].partition(":")[0] in {name.partition(":")[0] for name in names}
        if line.kind == "sale":
            assert line.cents == sum(round(float(one["value"]) * 100) for one in told["lines"])
        if line.kind == "contact":
            assert told["name"] == line.said
            assert [claim["status"] for claim in told.get("consents", [])] == ([line.consent] if line.consent else [])
    assert min(kinds[kind] for kind in ("contact", "interaction", "sale", "poison")) > 10


def test_every_event_carries_its_own_id_as_correlation_id_over_http() -> None:
    message = next(m for m in load(SPEC.mix, 100, 1) if m.entry.channel.road == "http")
    told = json.loads(message.structured)
    assert told["correlationid"] == told["id"] == message.entry.event_id


def test_every_channel_of_the_load_has_a_name_in_the_judges_books() -> None:
    for channel in CHANNELS:
        own, common = channel.identifiers(42)
        assert NAMING.customer(own) == NAMING.customer(common) == 42
    assert NAMING.customer("email:customer-42@example.org") == 42
    assert NAMING.customer("email:somebody@example.org") is None


def test_only_the_right_secret_over_the_right_bytes_is_a_signature() -> None:
    secret, body = "whsec_" + base64.b64encode(b"s" * 32).decode(), b'{"a":1}'
    digest = hmac.digest(b"s" * 32, b"id.5." + body, hashlib.sha256)
    signature = f"v1,{base64.b64encode(digest).decode()}"
    headers = {"webhook-id": "id", "webhook-timestamp": "5", "webhook-signature": f"v1,old {signature}"}
    assert is_signed(secret, headers, body)
    assert not is_signed(secret, headers, body + b" ")
    assert not is_signed(secret, headers | {"webhook-id": "other"}, body)
    assert not is_signed("whsec_" + base64.b64encode(b"t" * 32).decode(), headers, body)
    assert not is_signed(secret, {}, body)


def test_a_receiver_misbehaves_for_the_share_that_it_was_told() -> None:
    behaviour = Behaviour(random.Random(1))
    assert {behaviour.next() for _ in range(100)} == {Manner.WELL}
    behaviour.manner, behaviour.share = Manner.ERROR, 0.5
    assert 30 < [behaviour.next() for _ in range(100)].count(Manner.ERROR) < 70


def body(version: int, orders: int) -> bytes:
    customer = {"sales": {"orders": orders}, "interactions": 0}
    return json.dumps({"customer_id": "id-1", "version": version, "customer": customer}).encode()


def test_a_receiver_keeps_the_newest_body_and_a_line_for_every_delivery(tmp_path: Path) -> None:
    notes = Notes(tmp_path)
    for version in (1, 3, 2):
        notes.take("steady", float(version), f"m{version}", body(version, version), signed=True, taken=True)
    notes.refused("steady", 4.0, "m4", body(4, 4), signed=False)
    notes.close()
    assert [(one.version, one.signed, one.taken, one.orders) for one in read_deliveries(tmp_path)] == [
        (1, True, True, 1),
        (3, True, True, 3),
        (2, True, True, 2),
        (4, False, False, 0),
    ]
    assert read_copies(tmp_path, "steady")["id-1"]["version"] == 3
    assert read_copies(tmp_path, "nobody") == {}


def test_latency_counts_from_the_intended_time_to_the_first_delivery_that_has_the_event() -> None:
    told = [Told(0, "id-1", "sale", 1), Told(1, "id-1", "sale", 2), Told(2, "id-1", "interaction", 1)]
    deliveries = [delivery(1, at=5.0, orders=2), delivery(2, at=7.0, orders=2, interactions=1)]
    assert latencies(told, deliveries, array("d", [1.0, 4.0, 5.5])) == [4.0, 1.0, 1.5]


def test_a_percentile_of_nothing_is_nothing() -> None:
    assert percentile([], 0.5) is None
    assert percentile([float(n) for n in range(100)], 0.99) == 99.0


def outcome(*, breached: bool = False, void: str = "", late: str = "", judged: bool = True) -> Outcome:
    found = Outcome(SPEC, Ledger(SPEC), void=[void] if void else [], late=late)
    if judged:
        found.verdict = Verdict(World().breaches)
        if breached:
            found.verdict.breaches.add(Breach("rule", "what", 1, 2))
    return found


def test_no_verdict_without_sound_evidence_and_no_publication_without_the_load_that_was_meant() -> None:
    assert outcome().colour == "green"
    assert outcome(breached=True).colour == "red"
    assert outcome(breached=True, void="the receivers fell behind").colour == "void"
    assert outcome(judged=False).colour == "void"
    assert outcome(late="the generator fell behind").colour == "void"
    assert outcome(breached=True, late="the generator fell behind").colour == "red"
    assert [result.EXIT[colour] for colour in ("green", "red", "void")] == [0, 1, 3]


def test_a_run_can_be_replayed_by_the_command_that_it_prints() -> None:
    spec = dataclasses.replace(SPEC, seed=9, kinds=("kafka killed", "link cut"), rate=50.0, planted="guard-off")
    words = spec.replay.removeprefix("python -m tests.torture ")
    again = spec_of(arguments().parse_args(_split(words)))
    assert again == spec


def _split(words: str) -> list[str]:
    import shlex

    return shlex.split(words)


def test_recovery_is_told_by_kind() -> None:
    strikes = [Strike("kafka killed", "kafka", 1.0, 2.0, recovered=seconds) for seconds in (1.0, 3.0, None)]
    told = result.recovery([*strikes, Strike("link cut", "a>b", 1.0, 2.0)])
    assert told["kafka killed"] == {"faults": 3, "measured": 2, "p50": 3.0, "max": 3.0}
    assert told["link cut"] == {"faults": 1, "measured": 0, "p50": None, "max": None}


def test_every_planted_bug_finds_the_code_that_it_changes() -> None:
    names = sorted(BUGS)
    program = f"from tests.torture.planted import BUGS\nfor name in {names!r}: BUGS[name].plant()"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=120)


def test_there_are_enough_planted_bugs_and_each_run_of_theirs_is_a_short_one() -> None:
    assert len(BUGS) >= 12
    for bug in BUGS.values():
        assert proof.short(bug, 1).seconds <= 60


def test_the_judge_is_loaded_without_anything_of_the_platform() -> None:
    program = (
        "import sys, tests.torture.judge.views, tests.torture.judge.topics, tests.torture.judge.letters, "
        "tests.torture.judge.deliveries, tests.torture.judge.health, tests.torture.evidence, "
        "tests.torture.receivers.hooks, tests.torture.receivers.stream\n"
        "bad = [m for m in sys.modules if m.split('.')[0] in {'services', 'shared', 'deploy', 'pydantic'}]\n"
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=60)


def test_the_proof_holds_only_if_every_bug_is_caught_and_no_control_is_red() -> None:
    caught = {"name": "a", "caught": "caught", "rules": {"rule": 1}, "colour": "red", "runs": 1}
    control = {"name": "no bug", "caught": "control", "rules": {}, "colour": "green", "runs": 1}
    assert proof.proven([caught, control])
    assert not proof.proven([caught | {"caught": "missed"}, control])
    assert not proof.proven([caught, control | {"rules": {"rule": 1}}])
    assert "rule (1)" in proof.table([caught])[1]


def test_a_bug_whose_own_code_fails_proves_nothing(tmp_path: Path) -> None:
    (tmp_path / "sync-1.log").write_text('{"at":"worker.run:59 > delivering.deliver:40 > worker.send:7","event":"x"}')
    assert not proof.crashed(tmp_path)
    (tmp_path / "sync-2.log").write_text('{"at":"worker.run:59 > delivering.deliver:40","event":"worker_failed"}')
    assert proof.crashed(tmp_path)


def test_only_green_runs_of_committed_code_are_published() -> None:
    told = result.as_json(outcome())
    told["made"] |= {"changed": False}
    assert report.publishable(told)
    assert not report.publishable(told | {"colour": "void"})
    assert not report.publishable(told | {"made": told["made"] | {"changed": True}})


def test_the_report_tells_faults_by_kind_over_all_runs() -> None:
    strikes = [Strike("kafka killed", "kafka", 1.0, 2.0, recovered=seconds) for seconds in (1.0, 2.0, 3.0)]
    one = result.as_json(outcome()) | {"faults": [strike.as_json() for strike in strikes]}
    [line] = [line for line in report.tables([one, one], None) if line.startswith("| kafka killed")]
    assert line == "| kafka killed | 6 | 2.0 | 3.0 |"


@pytest.mark.parametrize("text", ["", "# Title\n\nprose\n"])
def test_the_report_stands_between_its_markers(text: str) -> None:
    once = report.inserted(text, ["| a |"])
    assert once.startswith(text)
    assert report.inserted(once, ["| b |"]) == once.replace("| a |", "| b |")
