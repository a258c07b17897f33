"""Facts as other services tell them, and strategies for whole histories of them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from hypothesis import strategies as st

from shared.contracts.channels import Address, ReturnLine
from shared.contracts.contacts import CONTACTS, Consent, Contact, ContactChanged, DoNotContact
from shared.contracts.fact import Fact
from shared.contracts.interactions import (
    INTERACTIONS,
    SALES,
    InteractionRecorded,
    OrderCancelled,
    OrderPlaced,
    OrderReturned,
)
from shared.contracts.merges import LINK_FACTS
from shared.contracts.scoring import SCORES, Rfm, Score, ScoreChanged
from shared.messaging import CloudEvent, Outgoing, Received
from shared.messaging.received import Record

START = datetime(2017, 1, 1, tzinfo=UTC)
KINDS = ("call", "web.visit", "campaign-contact")
PURPOSES = ("marketing", "news.letter")
CHANNELS = ("any", "mail", "e-mail.weekly")
CODES = ("age", "income.band", "vip")


def customer(number: int) -> str:
    return f"01960000-0000-7000-8000-{number:012x}"


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def order(number: int, customer_id: str, at: datetime, total: str = "10.00") -> OrderPlaced:
    return OrderPlaced(
        order_id=f"order-{number}",
        customer_id=customer_id,
        channel="/channels/north",
        ordered_at=at,
        currency="USD",
        total=Decimal(total),
        lines=[],
    )


def returned(number: int, of: OrderPlaced, total: str = "4.00", days: float = 3) -> OrderReturned:
    return OrderReturned(
        return_id=f"return-{of.order_id}-{number}",
        order_id=of.order_id,
        customer_id=of.customer_id,
        channel=of.channel,
        returned_at=of.ordered_at + timedelta(days=days),
        ordered_at=of.ordered_at,
        currency=of.currency,
        total=Decimal(total),
        lines=[ReturnLine(product="p", quantity=Decimal(1), value=Decimal(total))],
    )


def cancelled(of: OrderPlaced, *returns: OrderReturned, days: float = 4) -> OrderCancelled:
    return OrderCancelled(
        order_id=of.order_id,
        customer_id=of.customer_id,
        channel=of.channel,
        cancelled_at=of.ordered_at + timedelta(days=days),
        ordered_at=of.ordered_at,
        currency=of.currency,
        total=of.total - sum((back.total for back in returns), Decimal(0)),
    )


def interaction(number: int, customer_id: str, at: datetime, kind: str = "call") -> InteractionRecorded:
    return InteractionRecorded(
        interaction_id=f"interaction-{number}",
        customer_id=customer_id,
        channel="/channels/call-centre",
        kind=kind,
        occurred_at=at,
    )


def scored(customer_id: str, as_of: datetime, **said: Any) -> ScoreChanged:
    known: dict[str, Any] = {
        "purchases": 1,
        "frequency": 0,
        "money": Decimal("10.00"),
        "currency": "USD",
        "horizon_days": 90,
    }
    return ScoreChanged(score=Score(customer_id=customer_id, as_of=as_of, **known | said))


def contact(customer_id: str, version: int, **said: Any) -> ContactChanged:
    known: dict[str, Any] = {
        "party": "household",
        "stage": "customer",
        "identifiers": [],
        "registered_at": START,
        "changed_at": START,
    }
    return ContactChanged(contact=Contact(customer_id=customer_id, version=version, **known | said), changed=[])


def consent(purpose: str, channel: str, status: str, given_at: datetime, **more: Any) -> Consent:
    said = {
        "purpose": purpose,
        "channel": channel,
        "status": status,
        "given_at": given_at,
        "source": "/channels/e-shop",
    }
    return Consent.model_validate(said | more)


def ban(channel: str, since: datetime, until: datetime | None = None, reason: str = "asked") -> DoNotContact:
    return DoNotContact(channel=channel, reason=reason, since=since, until=until, source="/channels/desk")


moments = st.integers(0, 400 * 86_400_000_000).map(lambda microseconds: START + timedelta(microseconds=microseconds))
amounts = st.decimals(0, 10_000, places=2, allow_nan=False)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 70), st.sampled_from([0.5, 1.0, 2.5]), st.sampled_from(["a", "b", "1"])
)
ASKED_AT = day(200)
"""When the rules that `questions` draws are asked."""
ends = st.integers(-3000, 3000).map(lambda some: ASKED_AT + timedelta(microseconds=some)) | moments
consents = st.lists(
    st.builds(
        consent,
        st.sampled_from(PURPOSES),
        st.sampled_from(CHANNELS),
        st.sampled_from(["granted", "denied", "withdrawn"]),
        st.integers(0, 3).map(day),
        valid_until=st.one_of(st.none(), ends),
        expired=st.booleans(),
    ),
    max_size=5,
    # As contacts tells them: one standing answer for a purpose on a channel.
    unique_by=lambda one: (one.purpose, one.channel),
)
forbidden = st.lists(
    st.builds(ban, st.sampled_from(CHANNELS), st.one_of(ends, st.just(START)), st.one_of(st.none(), ends)), max_size=3
)


@st.composite
def histories(draw: st.DrawFn, customer_id: str, first_number: int = 0) -> list[Fact]:
    """All facts about one customer, each version and each moment of a score once."""
    orders = [
        order(first_number + number, customer_id, draw(moments), str(draw(amounts)))
        for number in range(draw(st.integers(0, 3)))
    ]
    reversals: list[Fact] = []
    for placed in orders:
        returns = [returned(n, placed, str(draw(amounts))) for n in range(draw(st.integers(0, 2)))]
        reversals += [*returns, *([cancelled(placed, *returns)] if draw(st.booleans()) else [])]
    interactions = [
        interaction(first_number + number, customer_id, draw(moments), draw(st.sampled_from(KINDS)))
        for number in range(draw(st.integers(0, 3)))
    ]
    scored_at = sorted(draw(st.sets(st.integers(0, 400), max_size=2)))
    versions = range(1, draw(st.integers(1, 3)))
    return [
        *orders,
        *reversals,
        *interactions,
        *(draw(scores(customer_id, day(as_of))) for as_of in scored_at),
        *(draw(contacts(customer_id, version)) for version in versions),
    ]


CHAMPION = Rfm(recency=5, frequency=5, money=5, segment="champions")
LOST = Rfm(recency=1, frequency=1, money=1, segment="lost")


@st.composite
def scores(draw: st.DrawFn, customer_id: str, as_of: datetime) -> ScoreChanged:
    probability = st.one_of(st.none(), st.sampled_from([0.0, 0.25, 0.5, 1.0]))
    return scored(
        customer_id,
        as_of,
        money=draw(amounts),
        value=draw(st.one_of(st.none(), amounts)),
        p_alive=draw(probability),
        p_churn=draw(probability),
        purchases=draw(st.integers(0, 5)),
        last_purchase=draw(st.one_of(st.none(), moments)),
        segment=draw(st.sampled_from([None, "new", "valuable", "valuable-slipping", "gone"])),
        rfm=draw(st.sampled_from([None, CHAMPION, LOST])),
        value_class=draw(st.sampled_from([None, "A", "L"])),
    )


@st.composite
def contacts(draw: st.DrawFn, customer_id: str, version: int) -> ContactChanged:
    return contact(
        customer_id,
        version,
        stage=draw(st.sampled_from(["lead", "prospect", "customer"])),
        language=draw(st.sampled_from([None, "de", "en"])),
        address=draw(st.one_of(st.none(), st.sampled_from(["US", "DE"]).map(lambda code: Address(country=code)))),
        attributes=draw(st.dictionaries(st.sampled_from(CODES), scalars)),
        time_zone=draw(st.sampled_from([None, "Europe/Vienna", "Nowhere/Else"])),
        consents=draw(consents),
        do_not_contact=draw(forbidden),
        registered_at=draw(moments),
    )


def received(fact: Any, offset: int = 0) -> Received:
    """A fact as a handler gets it."""
    customer_id: str = subject(fact)
    topic = TOPICS[type(fact)]
    return Received(
        id=f"event-{offset}",
        source="/rapport/tests",
        type=fact.TYPE,
        subject=customer_id,
        time=moment(fact),
        fact=fact,
        topic=topic.name,
        partition=0,
        offset=offset,
        sequence=None,
        correlation_id=f"event-{offset}",
        origin=None,
        record=cast("Record", None),
    )


def outgoing(fact: Any, number: int) -> Outgoing:
    """A fact as its publisher puts it on the log."""
    event = CloudEvent(
        f"event-{number}", "/rapport/tests", fact.TYPE, fact.model_dump_json().encode(), moment(fact), subject(fact)
    )
    return Outgoing(TOPICS[type(fact)].name, subject(fact).encode(), event.data, event.headers())


def subject(fact: Any) -> str:
    if isinstance(fact, LINK_FACTS):
        return fact.survivor
    about = getattr(fact, "contact", None) or getattr(fact, "score", None) or fact
    return str(about.customer_id)


def moment(fact: Any) -> datetime:
    match fact:
        case OrderPlaced():
            return fact.ordered_at
        case OrderReturned():
            return fact.returned_at
        case OrderCancelled():
            return fact.cancelled_at
        case InteractionRecorded():
            return fact.occurred_at
    return START


TOPICS = {fact: topic for topic in (CONTACTS, INTERACTIONS, SALES, SCORES) for fact in topic.facts}
