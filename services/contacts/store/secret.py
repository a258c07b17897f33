"""The secret of this service: what it knows addresses by, for ever, and what the keys of links are made of at first."""

import hmac
import secrets

from shared.mongo import Database

COLLECTION = "secrets"
BYTES = 32
ID = "contacts"


class WrongSecret(RuntimeError):
    """A secret is not the one that was used before: no list would know its addresses, or no link would be valid any more."""

    def __init__(self, setting: str = "RAPPORT_CONTACTS_SECRET is not the secret") -> None:
        super().__init__(f"{setting} that this database was begun with")


class Secret:
    """One secret, and a key made of it for each purpose. It is never changed: lists cannot be made anew without the addresses.

    Given from outside, a copy of the database alone neither forges a link nor finds out whether an address is on a list. Else
    it is made with the database, and kept there.
    """

    def __init__(self, database: Database, given: str = "") -> None:
        self._secrets = database[COLLECTION]
        self._given = given.encode()
        self._secret: bytes | None = None

    async def key(self, purpose: str) -> bytes:
        """Raises WrongSecret."""
        return derived(await self.base(), purpose)

    async def base(self) -> bytes:
        """What its keys are made of. Raises WrongSecret."""
        if self._secret is None:
            self._secret = await self._known()
        return self._secret

    async def _known(self) -> bytes:
        first = {"check": check(self._given)} if self._given else {"secret": secrets.token_bytes(BYTES)}
        # The first instance decides; the answer is what was decided.
        await self._secrets.update_one({"_id": ID}, {"$setOnInsert": first}, upsert=True)
        kept = await self._secrets.find_one({"_id": ID})
        assert kept is not None, "it has just been written"
        if not self._given and "secret" in kept:
            return bytes(kept["secret"])
        if not hmac.compare_digest(kept.get("check", b""), check(self._given)):
            raise WrongSecret
        return self._given


def check(secret: bytes) -> bytes:
    """What a secret is known again by, and not found out from."""
    return derived(secret, "check")


def derived(secret: bytes, purpose: str) -> bytes:
    """The key for one purpose."""
    return hmac.digest(secret, purpose.encode(), "sha256")
