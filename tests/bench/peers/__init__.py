"""The core against its peers, same work: `python -m tests.bench.peers [--events N] [--rounds R] [--only a,b]`.

Everybody drains the same log of 400-byte purchases, validates them with the same pydantic model and folds them by
customer: in memory, and in MongoDB. What counts is the process' CPU seconds, from the first record to the last effect.
"""

from __future__ import annotations

from tests.bench.section import Section, Stage


async def run(stage: Stage) -> Section:
    """The whole field, as large as the stage says."""
    # Here, so that the processes that are measured load nothing of what measures them.
    from tests.bench.peers.comparison import compare
    from tests.bench.peers.field import BY_NAME, FIELD, OF_EACH

    events = stage.pick(smoke=8_000, quick=40_000, normal=200_000, full=200_000)
    rounds = stage.pick(smoke=1, quick=1, normal=3, full=5)
    variants = [BY_NAME[name] for name in OF_EACH] if stage.size == "smoke" else FIELD
    return await compare(stage, variants, events, rounds)
