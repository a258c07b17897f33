"""What scoring listens to: sales make scores; sales and contacts say what a customer likes and earns us."""

from collections.abc import Sequence

from services.scoring.handlers import Deeds, SaleFact, Scores
from shared.contracts.interactions import INTERACTIONS, SALES
from shared.messaging import Messaging, Received, Subscription, Unit


def listen(messaging: Messaging, scores: Scores, deeds: Deeds) -> None:
    async def apply(unit: Unit, events: Sequence[Received]) -> None:
        if sales := [event for event in events if isinstance(event.fact, SaleFact)]:
            await scores.fold(unit, sales)
        await deeds.fold(unit, _not_refused(unit, events))

    messaging.listen(
        Subscription(group="scoring", topics=(SALES, INTERACTIONS), prepare=deeds.wishing.number, apply=apply)
    )


def _not_refused(unit: Unit, events: Sequence[Received]) -> Sequence[Received]:
    """What was refused comes again when it is sent back, and is remembered then."""
    if not unit.rejected:
        return events
    refused = {(id(one.record), one.element) for one in unit.rejected}
    return [event for event in events if (id(event.record), event.element) not in refused]
