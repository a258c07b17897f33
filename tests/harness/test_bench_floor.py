"""The floor counts what the platform has written, and nobody else's writes."""

from typing import Any

from bson import Timestamp
from pymongo import DeleteOne, InsertOne, UpdateOne

from tests.bench.floor import hops_of, rows_of
from tests.bench.floor.bare import Cost
from tests.bench.floor.traces import Traces, note


def entry(op: str, ns: str, **more: Any) -> dict[str, Any]:
    return {"op": op, "ns": ns, "ts": Timestamp(1, 1), "o": {"_id": 1}, **more}


def test_a_transaction_counts_as_the_writes_in_it() -> None:
    traces = Traces(events=2)
    inner = [
        entry("i", "rapport_sync.views", o={"_id": 1, "name": "x"}),
        entry("u", "rapport_sync.views", o={"$v": 2, "diff": {"u": {"name": "y"}}}, o2={"_id": 1}),
        entry("d", "rapport_sync.outbox"),
    ]
    note(traces, entry("c", "admin.$cmd", o={"applyOps": inner}))
    assert traces.writes == {
        "rapport_sync.views": [
            InsertOne({"_id": 1, "name": "x"}),
            UpdateOne({"_id": 1}, {"$set": {"changed": {"$v": 2, "diff": {"u": {"name": "y"}}}}}, upsert=True),
        ],
        "rapport_sync.outbox": [DeleteOne({"_id": 1})],
    }


def test_what_the_database_writes_for_itself_is_not_counted() -> None:
    traces = Traces(events=1)
    note(traces, entry("i", "config.transactions"))
    note(traces, entry("n", ""))
    note(traces, entry("c", "admin.$cmd", o={"commitTransaction": 1}))
    note(traces, entry("c", "rapport_sync.$cmd", o={"create": "views"}))
    assert (traces.written, traces.write_bytes) == (0, 0)


def test_the_sum_is_held_against_what_two_cores_have() -> None:
    traces = Traces(events=10, readers={"crm.sales": 3})
    traces.writes["rapport_sync.views"] = [InsertOne({"_id": n}) for n in range(40)]
    traces.records["crm.sales"] = [(b"key", b"12345")] * 20
    writes, records, together = rows_of(traces, Cost(100, 40), Cost(30, 30))
    assert (writes["an event"], records["an event"], records["bytes an event"]) == (4.0, 2.0, 10)
    assert records["what"] == "Kafka: records, read 3.0 times"
    assert (together["CPU us an event"], together["of two cores at 5,000/s"]) == (200, "50%")


def test_a_hop_is_taken_apart_into_its_batch_and_its_records() -> None:
    batch, record = hops_of(few=Cost(1_010, 2_020), many=Cost(1_500, 3_000))
    assert (batch["server, CPU us a batch"], batch["client, CPU us a batch"]) == (1_000, 2_000)
    assert batch["of two cores at 100 batches/s"] == "15%"
    assert (record["server, CPU us an event"], record["client, CPU us an event"]) == (10.0, 20.0)
