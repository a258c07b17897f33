"""The last comparison of the channels that customers came by, in MongoDB."""

from dataclasses import asdict
from typing import Any

from services.scoring.domain.channels import Channel
from services.scoring.domain.fitting import Doubt
from services.scoring.domain.model import ByChannel
from services.scoring.domain.purchasing import Family
from services.scoring.domain.shrinkage import Apart, Found, Tried
from services.scoring.handlers import ChannelLook
from shared.mongo import Database, Document

ID = "channels"


class MongoChannelLooks:
    def __init__(self, database: Database) -> None:
        self._notes = database["notes"]

    async def channel_look(self) -> ChannelLook | None:
        found = await self._notes.find_one({"_id": ID}, {"_id": 0})
        return _look(found) if found else None

    async def note_channel_look(self, look: ChannelLook) -> None:
        await self._notes.replace_one({"_id": ID}, _document(look), upsert=True)


def by_channel(fields: dict[str, Any] | None) -> ByChannel | None:
    """Versions of before channels were told apart have none."""
    if fields is None:
        return None
    return ByChannel(Family(**fields["family"]), tuple(map(_channel, fields["channels"])))


def _channel(fields: dict[str, Any]) -> Channel:
    return Channel(fields["name"], fields["customers"], tuple(fields["shift"]))


def _document(look: ChannelLook) -> Document:
    found = look.found
    return {
        **look._asdict(),
        "family": asdict(look.family),
        "found": {
            **found._asdict(),
            "channels": [{"channel": asdict(one.channel), "doubt": _words(one.doubt)} for one in found.channels],
            "by_channel": asdict(found.by_channel),
            "doubt": _words(found.doubt),
        },
    }


def _look(document: Document) -> ChannelLook:
    found = document["found"]
    told_apart = by_channel(found["by_channel"])
    assert told_apart is not None
    return ChannelLook(
        at=document["at"],
        family=Family(**document["family"]),
        first_day=document["first_day"],
        found=Found(
            found["spread"],
            tuple(Tried(*one) for one in found["tried"]),
            tuple(Apart(_channel(one["channel"]), _doubt(one["doubt"])) for one in found["channels"]),
            told_apart,
            _doubt(found["doubt"]),
        ),
        version=document["version"],
        held=tuple(document["held"]),
    )


def _words(doubt: Doubt | None) -> str | None:
    return doubt.value if doubt else None


def _doubt(words: str | None) -> Doubt | None:
    return Doubt(words) if words else None
