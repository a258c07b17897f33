"""The keys that sign customers' links, in MongoDB beside the secret: what each is made of with that, never the key itself.

Each is made of a secret and of random bytes that are kept here, so neither a copy of the database nor the secret alone forges a link.
Nothing is remembered between two questions: a key that is retired on one instance is believed by none from then on.
"""

import hmac
import secrets
from collections.abc import Sequence

from services.contacts.domain.signing import FIRST_KEY, KeyRing
from services.contacts.handlers.rotating import LinkKey
from services.contacts.store.secret import BYTES, COLLECTION, Secret, WrongSecret, check, derived
from shared.mongo import Database, Document, Session, ensure_collections

PURPOSE = "links"
FIRST: Document = {"number": FIRST_KEY}
"""Made of the secret alone, as long as there was one key only."""
NEWEST_IS_MISSING = "RAPPORT_CONTACTS_LINK_SECRETS has not the secret of the newest key of links"


class LinkKeyStore:
    """`given`: the secrets of which keys are made, the newest first. Without any it is the service's own."""

    def __init__(self, database: Database, secret: Secret, given: Sequence[str] = ()) -> None:
        self._database = database
        self._keys = database[COLLECTION]
        self._secret = secret
        self._given = [one.encode() for one in given]

    async def prepare(self) -> None:
        """Raises WrongSecret."""
        await ensure_collections(self._database, [COLLECTION])
        newest = max(await self._rows(None), key=_number)
        if await self._key(newest) is None:
            raise WrongSecret(NEWEST_IS_MISSING)

    async def ring(self) -> KeyRing:
        """Keys whose secret is not given any more are as good as retired."""
        found = {_number(row): await self._key(row) for row in await self._rows(None) if "retired_at" not in row}
        keys = {number: key for number, key in found.items() if key is not None}
        if not keys:
            raise WrongSecret(NEWEST_IS_MISSING)
        return KeyRing(max(keys), keys)

    async def all(self, session: Session | None) -> Sequence[LinkKey]:
        return [_link_key(row) for row in sorted(await self._rows(session), key=_number)]

    async def add(self, one: LinkKey, session: Session | None) -> None:
        # Of two at once the later meets the other's document, and is run again.
        base = (await self._bases())[0]
        made_of = {"salt": secrets.token_bytes(BYTES), "of": check(base)}
        row = {"_id": _place(one.number), "number": one.number, "since": one.since, "by": one.by, **made_of}
        await self._keys.insert_one(row, session=session)

    async def retire(self, one: LinkKey, session: Session | None) -> None:
        told = {"number": one.number, "retired_at": one.retired_at, "retired_by": one.retired_by}
        gone: Document = {"$set": told, "$unset": {"salt": ""}}
        await self._keys.update_one({"_id": _place(one.number)}, gone, upsert=True, session=session)

    async def _rows(self, session: Session | None) -> list[Document]:
        found = self._keys.find({"number": {"$exists": True}}, session=session)
        rows = [row async for row in found]
        return rows if any(row["number"] == FIRST_KEY for row in rows) else [FIRST, *rows]

    async def _bases(self) -> list[bytes]:
        return [*self._given, await self._secret.base()]

    async def _key(self, row: Document) -> bytes | None:
        if row["number"] == FIRST_KEY:
            return await self._secret.key(PURPOSE)
        if "salt" not in row:
            return None
        base = next((one for one in await self._bases() if hmac.compare_digest(check(one), bytes(row["of"]))), None)
        return base and derived(base, f"{PURPOSE} {bytes(row['salt']).hex()}")


def _place(number: int) -> str:
    return f"{PURPOSE}:{number}"


def _number(row: Document) -> int:
    return int(row["number"])


def _link_key(row: Document) -> LinkKey:
    names = ("since", "by", "retired_at", "retired_by")
    return LinkKey(_number(row), **{name: row[name] for name in names if name in row})
