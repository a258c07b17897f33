"""Work that no request waits for: measuring how good the data of all contacts are, making old ones findable, and finding
duplicates.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from services.contacts.handlers.barring import Listing
from services.contacts.handlers.defining import Defining
from services.contacts.handlers.erasing import Erasures
from services.contacts.handlers.expiring import Expiring
from services.contacts.handlers.following import Following
from services.contacts.handlers.forgetting import Forgetting
from services.contacts.handlers.importing import Importing
from services.contacts.handlers.learning import Learning
from services.contacts.handlers.measuring import Measuring
from services.contacts.handlers.reassigning import Reassigning
from services.contacts.handlers.ruling import Ruling

LOOK_SECONDS = 60.0
"""Between two reports. They are about all contacts, and none of them changes one much."""


async def measure_quality(measuring: Measuring) -> None:
    while True:
        await measuring.measure()
        await asyncio.sleep(LOOK_SECONDS)


async def look_through_the_log(forgetting: Forgetting, every: float) -> None:
    while True:
        await forgetting.look()
        await asyncio.sleep(every)


async def watch_erasures(erasures: Erasures) -> None:
    """Every instance counts them all: a metric of one that has died would be the last word otherwise."""
    while True:
        await erasures.look()
        await asyncio.sleep(LOOK_SECONDS)


PIECE = 200


async def make_findable(give_keys: Callable[[int], Awaitable[bool]]) -> None:
    """Once after the start: contacts of a time before the search have no keys. `give_keys` says whether to go on."""
    while await give_keys(PIECE):
        """Each piece waits for the database, and so lets everything else have its turn."""


IMPORT_LOOK_SECONDS = 0.5
"""How soon after it has been sent a file is begun with: people wait for it. A look at nothing is one small query."""


async def import_files(importing: Importing) -> None:
    while True:
        await importing.work()
        await asyncio.sleep(IMPORT_LOOK_SECONDS)


TAKE_OVER_SECONDS = 5.0
"""So often an instance asks whether nobody follows the contacts any more; a dead one's lease lasts for a minute."""


async def follow_contacts(following: Following) -> None:
    while True:
        await following.follow()
        await asyncio.sleep(TAKE_OVER_SECONDS)


async def learn_regularly(learning: Learning) -> None:
    while True:
        await learning.learn_if_due()
        await asyncio.sleep(LOOK_SECONDS)


LISTED_SECONDS = 1.0
"""So soon a list holds for contacts there are."""


async def hold_lists(listing: Listing) -> None:
    while True:
        await listing.work()
        await asyncio.sleep(LISTED_SECONDS)


async def sweep_lists(listing: Listing) -> None:
    await listing.catch_up()
    while True:
        await listing.sweep()
        await asyncio.sleep(SWEEP_SECONDS)


EXPIRED_SECONDS = 5.0


async def tell_expired_consents(expiring: Expiring) -> None:
    """A look at nothing is one small query of an index. Whoever asks meanwhile is answered right."""
    await expiring.catch_up()
    while True:
        await expiring.work()
        await asyncio.sleep(EXPIRED_SECONDS)


CURRENT_SECONDS = 1.0
"""So old may be what an instance knows of defined fields and rules: `defining.CURRENT`, `ruling.CURRENT` are five times as long."""

REASSIGN_SECONDS = 2.0
"""So soon what was asked for begins."""


async def keep_fields_current(defining: Defining) -> None:
    while True:
        await defining.refresh()
        await asyncio.sleep(CURRENT_SECONDS)


async def work_on_fields(defining: Defining) -> None:
    while True:
        await defining.work_if_due()
        await asyncio.sleep(CURRENT_SECONDS)


async def keep_rules_current(ruling: Ruling) -> None:
    while True:
        await ruling.refresh()
        await asyncio.sleep(CURRENT_SECONDS)


async def judge_by_changed_rules(ruling: Ruling) -> None:
    while True:
        await ruling.work_if_due()
        await asyncio.sleep(CURRENT_SECONDS)


async def reassign(reassigning: Reassigning) -> None:
    while True:
        await reassigning.work()
        await asyncio.sleep(REASSIGN_SECONDS)


SWEEP_SECONDS = 3600.0
"""Bytes of uploads that broke off lie an hour before they are old enough."""


async def sweep_documents(sweep: Callable[[datetime], Awaitable[int]]) -> None:
    while True:
        await sweep(datetime.now(UTC))
        await asyncio.sleep(SWEEP_SECONDS)
