"""A search by name in pages, and which way each page is found: through the index of names, or among the few who have something
else that is asked. Both have the same order, so a page may be found in one way and the next in the other.
"""

from collections.abc import Sequence

from services.contacts.domain.access import Rows
from services.contacts.domain.digest import Passes, sieve
from services.contacts.domain.traits import Wanted
from services.contacts.domain.values.found import At
from services.contacts.domain.values.initials import may_fit
from services.contacts.domain.values.slips import Slips
from services.contacts.store import finding, sifting, slipping
from services.contacts.store.finding import Row
from services.contacts.store.wanted import EXAMINED, FEW, all_of, narrowest
from shared.mongo import Collection, Document

AT_FIRST = 500
"""Keys of names that are looked at before it is counted what else few have: most pages are full by then."""
Page = tuple[list[Row], At | None]


class Search:
    """What is asked. `few`: how many are looked at one by one; `examined`: how many for one page."""

    def __init__(
        self,
        contacts: Collection,
        typed: str,
        wanted: Sequence[Wanted],
        rows: Rows,
        few: int = FEW,
        examined: int = EXAMINED,
    ) -> None:
        self.contacts, self.typed, self.wanted, self.rows = contacts, typed, wanted, rows
        self.few, self.examined = few, examined
        self.only, self.passes = all_of(wanted, rows), sieve(wanted, rows)

    async def page(self, after: At | None, limit: int) -> Page:
        """So many of those who follow, those that fit best first; where nobody does, on no page, whoever may have been meant."""
        slips = Slips(self.typed)
        if after is None or after.place.range < slips.range:
            page, next_ = await self._fitting(after, limit)
            nobody = not page and (after is None or after.nobody)
            if next_ or not nobody:
                return page, next_ and next_._replace(nobody=nobody)
            after = None
        if (narrow := await self._narrow(None)) is not None:
            return await slipping.slipped_among(self.contacts, slips, after, limit, self.only, narrow)
        return await slipping.slipped(self.contacts, slips, after, limit, self.only)

    async def _fitting(self, after: At | None, limit: int) -> Page:
        if self.passes:
            return await self._both(self.passes, after, limit)
        if (narrow := await self._narrow(may_fit(self.typed))) is not None:
            return await self._among(narrow, after, limit)
        examined = self.examined if self.wanted else None
        return await finding.found(self.contacts, self.typed, after, limit, self.only, examined, few=self.few)

    async def _both(self, passes: Passes, after: At | None, limit: int) -> Page:
        async def sifted(behind: At | None, missing: int, examined: int) -> Page:
            return await sifting.found(self.contacts, self.typed, behind, missing, self.only, passes, examined)

        at_first = min(AT_FIRST, self.examined)
        page, stop = await sifted(after, limit, at_first)
        if stop is None or len(page) == limit:
            return page, stop
        if (narrow := await self._narrow(may_fit(self.typed))) is not None:
            return await self._among(narrow, after, limit)
        if at_first == self.examined:
            return page, stop
        more, stop = await sifted(stop, limit - len(page), self.examined - at_first)
        return page + more, stop

    async def _among(self, narrow: Document, after: At | None, limit: int) -> Page:
        return await finding.found_among(self.contacts, self.typed, after, limit, self.only, narrow)

    async def _narrow(self, named: Passes | None) -> Document | None:
        return await narrowest(self.contacts, self.rows, self.wanted, self.few, named)
