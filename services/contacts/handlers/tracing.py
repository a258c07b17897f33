"""Where the fields of a contact are from."""

from services.contacts.domain.merging import together
from services.contacts.domain.provenance import Origin, origins
from services.contacts.domain.ruling import Rules
from services.contacts.handlers.book import Store
from services.contacts.handlers.errors import NoSuchContact


class Tracing:
    """The use case."""

    def __init__(self, store: Store, country: str | None = None) -> None:
        self.store = store
        self.country = country

    async def origins(self, customer: str) -> list[Origin]:
        """Of a customer, and of all who are one with them. Raises NoSuchContact."""
        loaded = await self.store.load([customer], None)
        if customer not in loaded:
            raise NoSuchContact(customer)
        root = loaded[customer].place.root or customer
        loaded |= await self.store.load([root], None)
        members = loaded[root].place.members
        if not members:
            return origins(loaded[root])
        loaded |= await self.store.load(members, None)
        return origins(together(root, loaded, self.country, await self.rules()))

    async def rules(self) -> Rules:
        """By which it is decided what holds."""
        return await self.store.rulebook.current()
