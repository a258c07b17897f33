"""One record looked up among many: `python -m tests.bench.duplicates.lookup RECORDS`, figures as JSON."""

from __future__ import annotations

import json
import resource
import sys
import time

import numpy as np

from services.contacts.domain.matching.decide import Thresholds
from services.contacts.domain.matching.fields import understand
from services.contacts.domain.matching.register import Register
from tests.contacts.matching.people import people

LOOKUPS = 3_000
PER_HOUSEHOLD = 3.6
"""Records that `people` makes of one."""


def measured(records: int) -> dict[str, float]:
    # In parts with seeds of their own, so that the made-up records do not double the memory that is measured.
    parts = max(1, records // 100_000)
    households = round(records / PER_HOUSEHOLD / parts)
    sample = people(min(households, 2_000), seed=1)
    columns = {name: [one[name] for one in sample.records] for name in sample.records[0]}
    register: Register[tuple[int, int]] = Register(understand(columns).fields)
    register_seconds = 0.0
    asked = []
    for part in range(parts):
        made = people(households, seed=100 + part)
        began = time.perf_counter()
        for number, record in enumerate(made.records):
            register.put((part, number), record)
            if register.index.due:
                register.index.compact()
        register_seconds += time.perf_counter() - began
        step = max(1, len(made.records) * parts // LOOKUPS)
        asked += [((part, number), made.records[number]) for number in range(0, len(made.records), step)]
    register.index.compact()
    thresholds = Thresholds()
    seconds, compared = [], 0
    for number, (own, record) in enumerate(asked):
        began = time.perf_counter()
        compared += len(register.matches(record, thresholds, but=own))
        if number >= len(asked) // 20:  # the first fill caches
            seconds.append(time.perf_counter() - began)
    p50, p99, top = np.percentile(np.array(seconds) * 1e3, [50, 99, 100])
    return {
        "records": len(register), "lookups": len(seconds), "p50 ms": float(p50), "p99 ms": float(p99), "max ms": float(top),
        "us to put": register_seconds / len(register) * 1e6, "matches each": compared / len(asked),
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(measured(int(sys.argv[1]))))
