"""The life cycle of customers: what scores tell of it, what people decide about it, and how it is read."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol, TypeGuard

from services.contacts.domain import lifecycle
from services.contacts.domain.changes import Author
from services.contacts.domain.following import course_of
from services.contacts.domain.lifecycle import Course, Mark, Step, of_score, timeline
from services.contacts.domain.merging import together
from services.contacts.domain.survivorship import Known, Statement, after_all_said, milliseconds
from services.contacts.handlers.book import Book, Store, open_book
from services.contacts.handlers.errors import NoSuchContact
from shared.clock import Clock
from shared.contracts.fact import Fact
from shared.contracts.scoring import Score, ScoreChanged, ScoreWithdrawn
from shared.messaging import Received, Unit
from shared.mongo import Session

NewStage = Literal["lead", "prospect", "customer", "disqualified"]


class HasBought(ValueError):
    """Whoever has bought is a customer, whatever anybody decides."""


class Courses(Protocol):
    """Where what was heard of life cycles is read."""

    async def courses(self, customers: Collection[str], session: Session | None) -> dict[str, Course]:
        """Of these customers, each by itself; unknown ones are absent. Nothing else of their contacts is read."""
        ...

    async def restricted(self, customers: Collection[str], session: Session | None) -> Collection[str]:
        """Those of them whose data must not be used."""
        ...


@dataclass(frozen=True)
class Lapsing:
    """When somebody who has bought has lapsed: when scoring calls them gone, or after so many days, if that is set."""

    days: float | None = None

    def reason(self, score: Score) -> str | None:
        if score.segment == "gone":
            return "gone"
        if self.days is None or score.last_purchase is None:
            return None
        return "no-purchase" if score.as_of - score.last_purchase > timedelta(days=self.days) else None


class Staging:
    """The use cases of the life cycle."""

    def __init__(
        self, store: Store, courses: Courses, clock: Clock, lapsing: Lapsing, country: str | None = None
    ) -> None:
        self.store = store
        self.courses = courses
        self.clock = clock
        self.lapsing = lapsing
        self.country = country

    async def follow(self, unit: Unit, events: Sequence[Received]) -> None:
        """Scores have changed or were withdrawn. Nearly none of them moves anybody to another stage.

        Nobody who is restricted is moved: what was missed scoring tells again once that is lifted.
        """
        told = [(_customer(event.fact), event.fact) for event in events if _says_what_was_bought(event.fact)]
        absorbed = await self._absorbed({customer for customer, one in told if isinstance(one, ScoreWithdrawn)}, unit)
        courses = await self.courses.courses({customer for customer, _ in told} - absorbed, unit.session)
        news: defaultdict[str, list[Mark]] = defaultdict(list)
        # One by one, so that it does not matter which of them come in one batch.
        for customer, one in told:
            course = courses.get(customer)
            if course is not None and (marks := self._news(course, one)):
                courses[customer] = lifecycle.heard(course, marks)
                news[customer] += marks
        for customer in await self.courses.restricted(news, unit.session) if news else ():
            del news[customer]
        if not news:
            return
        book = await open_book(self.store, unit, news, await self.clock.now(unit.session), self.country)
        for customer, marks in news.items():
            # Without its cause: what Rapport works out itself is news to every channel, whoever set it off.
            statement = Statement(lifecycle.SCORING, book.now, marks=marks)
            book.hear(customer, [statement], author=Author(lifecycle.SCORING))
        await book.save(self.store)

    async def _absorbed(self, customers: Collection[str], unit: Unit) -> set[str]:
        """Whose score was withdrawn because they were merged: what they bought they have bought.

        Whoever is on their own, or has absorbed others, and has no score any more was parted from whoever had bought.
        """
        if not customers:
            return set()
        loaded = await self.store.load(customers, unit.session)
        return {customer for customer, known in loaded.items() if known.place.root}

    def _news(self, course: Course, told: ScoreChanged | ScoreWithdrawn) -> list[Mark]:
        if isinstance(told, ScoreWithdrawn):
            return of_score(course, None, None, milliseconds(told.as_of), None)
        score = told.score
        first = score.first_purchase and milliseconds(score.first_purchase)
        last = score.last_purchase and milliseconds(score.last_purchase)
        return of_score(course, first, last, milliseconds(score.as_of), self.lapsing.reason(score))

    async def decide(self, unit: Unit, customer: str, stage: NewStage, by: Author) -> list[Step]:
        """A person says how far somebody has come, and why; the stages after it. Raises NoSuchContact, HasBought."""
        now = await self.clock.now(unit.session)
        book = await open_book(self.store, unit, {customer}, now, self.country)
        if customer not in book.current:
            raise NoSuchContact(customer)
        course = course_of(_whole(book, customer, self.country))
        if any(mark.what == "bought" for mark in course) and stage != "customer":
            raise HasBought(customer)
        at = milliseconds(_after(course, after_all_said(book.parts(customer).values(), now)))
        told = Statement(by.source, at, marks=list(_marks(course, stage, at, by)))
        book.hear(customer, [told], author=by)
        await book.save(self.store)
        return timeline(course_of(_whole(book, customer, self.country)))

    async def history(self, customer: str) -> list[Step]:
        """The stages that a customer has passed, of all parts; the last is the present one. Raises NoSuchContact."""
        loaded = await self.store.load([customer], None)
        if customer not in loaded:
            raise NoSuchContact(customer)
        root = loaded[customer].place.root or customer
        loaded |= await self.store.load([root], None)
        loaded |= await self.store.load(loaded[root].place.members, None) if loaded[root].place.members else {}
        whole = together(root, loaded, self.country) if loaded[root].place.members else loaded[root]
        return timeline(course_of(whole))


def _says_what_was_bought(told: Fact) -> TypeGuard[ScoreChanged | ScoreWithdrawn]:
    return isinstance(told, ScoreChanged) or (isinstance(told, ScoreWithdrawn) and not told.restricted)


def _customer(told: ScoreChanged | ScoreWithdrawn) -> str:
    return told.customer_id if isinstance(told, ScoreWithdrawn) else told.score.customer_id


def _whole(book: Book, customer: str, country: str | None) -> Known:
    parts = book.parts(customer)
    root = book.root(customer)
    return together(root, parts, country) if len(parts) > 1 else parts[root]


def _after(course: Course, now: datetime) -> datetime:
    """Later than all that was heard."""
    latest = max((mark.last for mark in course), default=None)
    return max(now, latest + timedelta(milliseconds=1)) if latest else now


def _marks(course: Course, stage: NewStage, at: datetime, by: Author) -> Sequence[Mark]:
    source, reason = by.source, by.reason or ""
    if stage == "disqualified":
        return [Mark(what="disqualified", first=at, last=at, reason=reason, source=source)]
    steps = timeline(course)
    said = lifecycle.said(stage, at, source, reason)
    if not steps or steps[-1].stage != "disqualified":
        return [said]
    # First it is taken back, then what is said counts again.
    back = Mark(what="requalified", first=at, last=at, reason=reason, source=source)
    later = at + timedelta(milliseconds=1)
    return [back, said._replace(first=later, last=later)]
