"""What scoring listens to: sales make scores; sales and contacts say what a customer likes and earns us; merges, who is one."""

from collections.abc import Sequence

from services.scoring.handlers import Deeds, Merging, SaleFact, Scores
from services.scoring.handlers.restricting import Restricting
from shared.contracts.contacts import CONTACTS, ContactErased, ContactRestricted
from shared.contracts.interactions import INTERACTIONS, SALES
from shared.contracts.merges import LINK_FACTS
from shared.messaging import Messaging, Received, Subscription, Unit

ERASURES_GATHER_MS = 1000
"""Nearly all of crm.contacts is of no concern to erasures, and nobody waits for one."""
MERGES_GATHER_MS = 1000
"""Nor is it to merges, and nobody waits for the score of two who are one."""


def listen(messaging: Messaging, scores: Scores, merging: Merging, deeds: Deeds, restricting: Restricting) -> None:
    async def apply(unit: Unit, events: Sequence[Received]) -> None:
        sales = [event for event in events if isinstance(event.fact, SaleFact)]
        if sales and (of_several := await scores.fold(unit, sales)):
            await merging.fold(unit, of_several)
        await deeds.fold(unit, _not_refused(unit, events))

    messaging.listen(
        Subscription(
            group="scoring",
            topics=(SALES, INTERACTIONS),
            prepare=deeds.wishing.number,
            apply=restricting.erasing.beside(apply),
        )
    )
    messaging.listen(
        Subscription(
            group="scoring-erasures",
            topics=(CONTACTS,),
            facts=(ContactErased, ContactRestricted),
            owns_rest=False,
            apply=restricting.erasing.beside(restricting.hear),
            gather_ms=ERASURES_GATHER_MS,
        )
    )
    messaging.listen(
        Subscription(
            group="scoring-merges",
            topics=(CONTACTS,),
            facts=LINK_FACTS,
            owns_rest=False,
            apply=restricting.erasing.beside(merging.follow),
            gather_ms=MERGES_GATHER_MS,
        )
    )


def _not_refused(unit: Unit, events: Sequence[Received]) -> Sequence[Received]:
    """What was refused comes again when it is sent back, and is remembered then."""
    if not unit.rejected:
        return events
    refused = {(id(one.record), one.element) for one in unit.rejected}
    return [event for event in events if (id(event.record), event.element) not in refused]
