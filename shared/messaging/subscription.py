"""What a service listens to, and how a batch of records becomes its effect."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.contracts.channels import INBOUND, MAX_EVENT_BYTES
from shared.contracts.fact import Fact, Topic
from shared.messaging.patient import GATHER_MS
from shared.messaging.received import Received, Rules
from shared.messaging.unit import Unit

Apply = Callable[[Unit, Sequence[Received]], Awaitable[None]]
Prepare = Callable[[Sequence[Received]], Awaitable[Any]]
EDGE = frozenset({INBOUND.name})


@dataclass(frozen=True)
class Subscription:
    """One consumer group's listening to some topics.

    `apply` runs inside the batch's transaction and may be called again with the same events; `prepare` runs before it,
    outside, for what must not be in a transaction (HTTP, Redis), and its result is `unit.prepared`.
    """

    group: str
    topics: tuple[Topic, ...]
    apply: Apply
    prepare: Prepare | None = None
    facts: tuple[type[Fact], ...] | None = None
    """Only these of the topics' facts; None: all."""
    ignores: tuple[type[Fact], ...] = ()
    """Facts that another group takes: neither handled nor refused here."""
    owns_rest: bool = True
    """Whether records that nobody can read become this group's dead letters."""
    gather_ms: int = GATHER_MS
    """In a stream of records, so long the broker gathers for a batch at least: more where nobody waits for the effect, because
    every batch has a price of its own, whatever its size."""
    raw: bool = False
    """Records as they are, `fact` None, no contract held against them: for the dead letters themselves."""
    rules: dict[str, Rules] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        wanted = None if self.facts is None else set(self.facts)
        ignored = frozenset(fact.TYPE for fact in self.ignores)
        rules = {
            topic.name: Rules(
                topic.name,
                {
                    name: fact
                    for name, fact in topic.types.items()
                    if name not in ignored and (wanted is None or fact in wanted)
                },
                ignored,
                self.owns_rest,
                MAX_EVENT_BYTES if topic.name in EDGE else topic.max_message_bytes,
                topic.name in EDGE,
            )
            for topic in self.topics
        }
        object.__setattr__(self, "rules", rules)
