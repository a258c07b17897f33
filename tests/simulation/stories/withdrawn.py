"""Whether all receivers that have got anything of an erased customer were told to erase it, and said so in time. Shares nothing
with the code that it judges but the forms in which it keeps things.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import orjson

from shared.contracts.erasures import ErasureDone
from tests.simulation.stories.judged import Wrong
from tests.simulation.stories.judgement import text
from tests.simulation.stories.registry import Registry
from tests.simulation.world.receivers import Parcel, Receivers
from tests.simulation.world.world import World

CHANNEL = "channel:"


class Withdrawn:
    """What channels have of the erased in the end."""

    def __init__(self, world: World, receivers: Receivers, registry: Registry) -> None:
        self._world = world
        self._taken = receivers.taken
        self._erased = registry.erased

    def wrong(self) -> Iterable[Wrong]:
        receipts = self._receipts()
        for (channel, customer), parcels in sorted(self._of_the_erased().items()):
            last, erasure = parcels[-1], self._erased[customer]
            said = receipts.get((erasure, CHANNEL + channel))
            if last.erased != erasure:
                detail = f"{channel} has version {last.version} of {customer}, and was not told of {erasure}"
                yield Wrong("whoever has the erased is told", detail, last.message_id)
            elif said is None:
                yield Wrong("whoever had the erased gives a receipt", f"{channel} of {erasure}", last.message_id)
            elif said < self._first_told(parcels):
                yield Wrong("no receipt comes early", f"{channel} of {erasure} at {said}", last.message_id)

    def _of_the_erased(self) -> dict[tuple[str, str], list[Parcel]]:
        """By channel and customer: what it took, where that was ever anything but the erasure."""
        found: dict[tuple[str, str], list[Parcel]] = {}
        for parcel in self._taken:
            if parcel.customer in self._erased:
                found.setdefault((parcel.channel, parcel.customer), []).append(parcel)
        return {place: parcels for place, parcels in found.items() if any(not parcel.erased for parcel in parcels)}

    def _first_told(self, parcels: Iterable[Parcel]) -> datetime:
        return next(parcel.at for parcel in parcels if parcel.erased)

    def _receipts(self) -> Mapping[tuple[str, str], datetime]:
        """By erasure and place, when it was told."""
        found: dict[tuple[str, str], datetime] = {}
        for log in self._world.cluster.topic("crm.erasures"):
            for record in log:
                if text(record, "ce_type") == ErasureDone.TYPE:
                    told = orjson.loads(record.value or b"{}")
                    at = datetime.fromisoformat(told["at"])
                    found.setdefault((told["erasure_id"], told["place"]), at)
        return found
