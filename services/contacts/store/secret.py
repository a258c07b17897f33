"""What this service signs with, and what it knows addresses by."""

import hmac
import secrets

from shared.mongo import Database

COLLECTION = "secrets"
BYTES = 32
ID = "contacts"


class WrongSecret(RuntimeError):
    """The secret is not the one that was used before: no list would know its addresses, and no link would be valid any more."""

    def __init__(self) -> None:
        super().__init__("RAPPORT_CONTACTS_SECRET is not the secret that this database was begun with")


class Secret:
    """One secret, and a key made of it for each purpose.

    Given from outside, a copy of the database alone neither forges a link nor finds out whether an address is on a list. Else
    it is made with the database, and kept there.
    """

    def __init__(self, database: Database, given: str = "") -> None:
        self._secrets = database[COLLECTION]
        self._given = given.encode()
        self._secret: bytes | None = None

    async def key(self, purpose: str) -> bytes:
        """Raises WrongSecret."""
        if self._secret is None:
            self._secret = await self._known()
        return _derived(self._secret, purpose)

    async def _known(self) -> bytes:
        first = {"check": _derived(self._given, "check")} if self._given else {"secret": secrets.token_bytes(BYTES)}
        # The first instance decides; the answer is what was decided.
        await self._secrets.update_one({"_id": ID}, {"$setOnInsert": first}, upsert=True)
        kept = await self._secrets.find_one({"_id": ID})
        assert kept is not None, "it has just been written"
        if not self._given and "secret" in kept:
            return bytes(kept["secret"])
        if not hmac.compare_digest(kept.get("check", b""), _derived(self._given, "check")):
            raise WrongSecret
        return self._given


def _derived(secret: bytes, purpose: str) -> bytes:
    return hmac.digest(secret, purpose.encode(), "sha256")
