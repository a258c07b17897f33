"""The field: who takes part, over which state, with how many events, and what each of them promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["none", "memory", "own store", "MongoDB"]
AT_LEAST_ONCE = "at least once"
EXACTLY_ONCE = "exactly-once effect"
LOST = "state lost"
STRAY = "state lost, records skipped"
"""Offsets are committed before the effect, so that what a killed process had in hand is not read again either."""


@dataclass(frozen=True)
class Variant:
    """One line of the comparison. `does` is a function of `tests.bench.peers.variants`: module and name."""

    name: str
    title: str
    packages: tuple[str, ...]
    state: State
    guarantee: str
    does: str
    share: float = 1.0
    """Of the events; less for those that would take minutes. CPU is per event, so the rows stay comparable."""
    tuned: bool = True
    """Whether the garbage collector is set as our services set it, which helps everybody, or left as Python sets it."""


CONFLUENT = ("confluent-kafka",)
RAW = ("aiokafka", "pydantic")
FASTSTREAM = ("faststream", "aiokafka")
QUIX = ("quixstreams", "confluent-kafka")
FAUST = ("faust-streaming", "aiokafka")
BYTEWAX = ("bytewax", "confluent-kafka")
HALF, SOME, FEW, VERY_FEW = 0.5, 0.25, 0.1, 0.015

FIELD = (
    Variant("floor", "librdkafka consume, not decoded", CONFLUENT, "none", LOST, "librdkafka:floor"),
    Variant("orjson", "librdkafka + orjson, not validated", (*CONFLUENT, "orjson"), "memory",
            LOST, "librdkafka:with_orjson"),
    Variant("msgspec", "librdkafka + msgspec", (*CONFLUENT, "msgspec"), "memory", LOST, "librdkafka:with_msgspec"),
    Variant("librdkafka", "librdkafka + pydantic", (*CONFLUENT, "pydantic"), "memory",
            LOST, "librdkafka:with_pydantic"),
    Variant("core", "Rapport's core", ("rapport",), "memory", LOST, "ours:memory"),
    Variant("aiokafka", "aiokafka getmany + pydantic", RAW, "memory", LOST, "raw:memory"),
    Variant("aiokafka-headers", "the same over the core's records, with their headers", RAW, "memory",
            LOST, "raw:memory_with_headers"),
    Variant("aiokafka-gc", "aiokafka getmany + pydantic, collector as Python sets it", RAW, "memory",
            LOST, "raw:memory", tuned=False),
    Variant("faststream-batch", "FastStream, batches", FASTSTREAM, "memory", LOST, "stream:batch"),
    Variant("faststream-batch-gc", "FastStream, batches, collector as Python sets it", FASTSTREAM, "memory",
            LOST, "stream:batch", tuned=False),
    Variant("faststream", "FastStream, one by one", FASTSTREAM, "memory", STRAY, "stream:one_by_one", SOME),
    Variant("faststream-ack", "FastStream, one by one, each acknowledged", FASTSTREAM, "memory",
            LOST, "stream:one_by_one_acknowledged", VERY_FEW),
    Variant("quix", "Quix Streams, dictionary", QUIX, "memory", LOST, "quix:memory"),
    Variant("bytewax", "Bytewax, dictionary", BYTEWAX, "memory", LOST, "dataflow:memory"),
    Variant("bytewax-stateful", "Bytewax, stateful_map", BYTEWAX, "memory", LOST, "dataflow:stateful"),
    Variant("faust", "Faust agent, dictionary", FAUST, "memory", LOST, "faust_streaming:memory", SOME),
    Variant("quix-store", "Quix Streams, RocksDB + changelog, exactly once", QUIX, "own store",
            EXACTLY_ONCE + " in its own store", "quix:own_store", HALF),
    Variant("faust-table", "Faust table + changelog", FAUST, "own store", AT_LEAST_ONCE, "faust_streaming:table", FEW),
    Variant("core-mongo", "Rapport's core, a transaction a batch", ("rapport", "pymongo"), "MongoDB",
            EXACTLY_ONCE, "ours:database", HALF),
    Variant("aiokafka-exact", "aiokafka, offset in the batch's transaction, by hand", (*RAW, "pymongo"), "MongoDB",
            EXACTLY_ONCE + " of one consumer: no fence, no dead letters", "raw:exact", HALF),
    Variant("aiokafka-mongo", "aiokafka, bulk write, then commit", (*RAW, "pymongo"), "MongoDB",
            AT_LEAST_ONCE, "raw:database", HALF),
    Variant("librdkafka-mongo", "librdkafka, bulk write, then commit", (*CONFLUENT, "pymongo"), "MongoDB",
            AT_LEAST_ONCE, "librdkafka:database", HALF),
    Variant("faststream-batch-mongo", "FastStream batches, bulk write", (*FASTSTREAM, "pymongo"), "MongoDB",
            AT_LEAST_ONCE, "stream:database_batch", HALF),
    Variant("quix-mongo", "Quix Streams, batching sink", (*QUIX, "pymongo"), "MongoDB",
            AT_LEAST_ONCE, "quix:database", HALF),
    Variant("quix-exact", "Quix Streams, own store exactly once + its MongoDB sink", (*QUIX, "pymongo"), "MongoDB",
            EXACTLY_ONCE + ", a checkpoint late", "quix:database_exact", SOME),
    Variant("bytewax-mongo", "Bytewax, batching sink, recovery", (*BYTEWAX, "pymongo"), "MongoDB",
            AT_LEAST_ONCE, "dataflow:database", HALF),
    Variant("faust-mongo", "Faust take(), bulk write", (*FAUST, "pymongo"), "MongoDB",
            AT_LEAST_ONCE, "faust_streaming:database", SOME),
    Variant("faststream-mongo", "FastStream one by one, an update each", (*FASTSTREAM, "pymongo"), "MongoDB",
            AT_LEAST_ONCE, "stream:database_one_by_one", VERY_FEW),
    Variant("faststream-exact", "FastStream one by one, a transaction each", (*FASTSTREAM, "pymongo"), "MongoDB",
            EXACTLY_ONCE, "stream:database_one_by_one_exact", VERY_FEW),
)  # fmt: skip
BY_NAME = {variant.name: variant for variant in FIELD}
OF_EACH = ("floor", "core", "aiokafka", "faststream-batch", "quix", "bytewax", "faust", "core-mongo", "quix-exact")
"""Enough to see whether everything runs at all."""
