"""One shopper, and what is and is not true of them: for the rules in memory and for those in MongoDB."""

from datetime import timedelta
from decimal import Decimal

from tests.campaigns.facts import ban, cancelled, consent, contact, customer, day, interaction, order, returned, scored

ANN = customer(1)
NOW = day(100)

SHOPPER = (
    contact(
        ANN,
        1,
        stage="customer",
        attributes={"age": 44, "vip": True, "income.band": "50-74K"},
        consents=[
            consent("marketing", "any", "granted", day(1)),
            consent("marketing", "mail", "denied", day(2)),
            consent("news", "any", "granted", day(1), valid_until=NOW),
            consent("news", "mail", "granted", day(2), valid_until=NOW + timedelta(milliseconds=1)),
        ],
        do_not_contact=[ban("mail", day(3)), ban("phone", day(3), NOW), ban("any", day(101))],
        time_zone="Europe/Vienna",
    ),
    order(1, ANN, day(10), "12.50"),
    order(2, ANN, day(70), "7.50"),
    returned(1, order(2, ANN, day(70), "7.50"), "2.50"),
    order(3, ANN, day(60), "99.00"),
    cancelled(order(3, ANN, day(60), "99.00")),
    interaction(1, ANN, day(20), "web.visit"),
    scored(ANN, day(80), segment="valuable-slipping", p_alive=0.4, value=Decimal("33.10")),
)

TRUE: list[tuple[str, str, object]] = [
    ("score.segment", "is", "valuable-slipping"),
    ("score.segment", "in", ["gone", "valuable-slipping"]),
    ("score.p_alive", "at_most", 0.4),
    ("score.value", "at_least", "33.10"),
    ("sales.orders", "is", 2),
    ("sales.total", "at_most", "17.50"),
    ("sales.returned", "at_least", "2.50"),
    ("sales.cancelled", "is", 1),
    ("sales.last_order_at", "after", "2017-03-12T00:00:00Z"),
    ("sales.last_order_at", "before", "2017-03-12T01:00:00+00:59"),
    ("sales.last_order_at", "days_ago_at_least", 30),
    ("sales.last_order_at", "days_ago_at_most", 30),
    ("contact.attributes.age", "at_least", 44),
    ("contact.attributes.age", "is", 44.0),
    ("contact.attributes.vip", "is", True),
    ("contact.attributes.income.band", "in", ["50-74K"]),
    ("contact.attributes.shoe-size", "exists", False),
    ("consent.marketing", "is", "granted"),
    ("consent.marketing@mail", "is", "denied"),
    ("consent.marketing@phone", "is", "granted"),
    ("consent.research", "exists", False),
    ("consent.news", "is", "expired"),
    ("consent.news@phone", "in", ["denied", "expired"]),
    ("consent.news@mail", "is", "granted"),
    ("consent.news", "in", ["granted", "expired"]),
    ("do-not-contact@mail", "is", True),
    ("do-not-contact@phone", "is", False),
    ("do-not-contact", "is", False),
    ("contact.time_zone", "is", "Europe/Vienna"),
    ("interactions.count", "is", 1),
    ("interactions.count.web.visit", "at_least", 1),
    ("interactions.count.call", "at_most", 0),
    ("interactions.last_at.web.visit", "exists", True),
]

FALSE: list[tuple[str, str, object]] = [
    ("score.segment", "is", "gone"),
    ("sales.returned", "at_most", "2.49"),
    ("sales.cancelled", "at_most", 0),
    ("sales.last_order_at", "before", "2017-03-12T00:00:00Z"),
    ("sales.last_order_at", "days_ago_at_least", 31),
    ("sales.last_order_at", "days_ago_at_most", 29),
    ("contact.attributes.vip", "is", 1),
    ("contact.attributes.vip", "at_least", 0),
    ("contact.attributes.shoe-size", "at_most", 99),
    ("contact.language", "is", "de"),
    ("consent.marketing@mail", "is", "granted"),
    ("consent.news", "in", ["granted", "denied"]),
    ("consent.news@mail", "is", "expired"),
    ("do-not-contact@mail", "is", False),
    ("do-not-contact", "is", True),
    ("interactions.last_at.call", "before", "2030-01-01T00:00:00Z"),
]
