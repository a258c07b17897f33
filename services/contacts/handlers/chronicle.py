"""The changes that one transaction makes, as they are kept in the history of each contact."""

from collections.abc import Iterable
from datetime import datetime

from services.contacts.domain.changes import Author, Change, Kind, field_changes
from services.contacts.domain.merging import Merge
from services.contacts.domain.survivorship import Known, milliseconds
from shared.contracts.contacts import Contact


class Chronicle:
    """Collects them; `now` is when they are recorded."""

    def __init__(self, now: datetime) -> None:
        self.now = milliseconds(now)
        self.changes: list[Change] = []

    def said(
        self,
        before: Contact | None,
        after: Contact,
        changed: Iterable[str],
        told: Known,
        author: Author,
        said_at: datetime | None,
    ) -> None:
        """What a statement has changed of what is published. `told`: of whom it was said, who may be part of another."""
        kind: Kind = "changed" if before else "registered"
        self._keep(kind, before, after, changed, told.contact.customer_id, author, told, said_at=said_at)

    def regrouped(
        self, kind: Kind, merge: Merge, before: Contact, after: Contact, changed: Iterable[str], told: Known, by: Author
    ) -> None:
        """What a merge, or its end, has changed. `told`: the absorbed."""
        freed = kind == "freed"
        of = merge.survivor if freed else merge.absorbed
        self._keep(kind, None if freed else before, after, changed, of, by, told, merge_id=merge.merge_id)

    def given_up(self, merge: Merge, published: Contact, by: Author) -> None:
        """From now on another answers for the absorbed: what has been published last of them is kept whole."""
        self.changes.append(
            Change(
                customer_id=merge.absorbed,
                version=published.version,
                kind="absorbed",
                recorded_at=self.now,
                was_at=published.changed_at,
                of=merge.survivor,
                fields=(),
                # What others brought who had been merged into the absorbed goes when they are erased.
                among=tuple(sorted(published.absorbed)),
                author=by,
                merge_id=merge.merge_id,
                into=merge.survivor,
                whole=published,
            )
        )

    def _keep(
        self,
        kind: Kind,
        before: Contact | None,
        after: Contact,
        changed: Iterable[str],
        of: str,
        author: Author,
        told: Known,
        *,
        said_at: datetime | None = None,
        merge_id: str | None = None,
    ) -> None:
        self.changes.append(
            Change(
                customer_id=after.customer_id,
                version=after.version,
                kind=kind,
                recorded_at=self.now,
                was_at=before.changed_at if before else after.changed_at,
                of=of,
                fields=field_changes(before, after, changed, told),
                among=tuple(sorted({*(before.absorbed if before else ()), *after.absorbed})),
                author=author,
                said_at=said_at,
                merge_id=merge_id,
            )
        )
