"""The largest contact that the gates let in, made of reports by the rules themselves: it can be told, and so can its view."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.contacts.domain.barring import LISTS, MAX_BARS, MAX_LISTED
from services.contacts.domain.links import HELD, MAX_LINKS
from services.contacts.domain.merging import MAX_MEMBERS
from services.contacts.domain.points import MAX_POINTS
from services.contacts.domain.ruling import MAX_RULES
from services.contacts.domain.survivorship import (
    MAX_ATTRIBUTES,
    MAX_CONSENTS,
    MAX_IDENTIFIERS,
    Known,
    Statement,
    fold,
    newcomer,
    statement,
)
from services.contacts.handlers.book.book import SPARE
from shared.contracts.channels import ContactReported, NameParts
from shared.contracts.contacts import CONTACTS, Contact, ContactChanged, DoNotContact
from shared.contracts.fact import MAX_TEXT, Identifier
from shared.contracts.parties import PartyLink
from shared.ids import uuid7
from shared.messaging.envelope import MAX_ID
from shared.messaging.unit import HEADROOM

START = datetime(2026, 1, 2, tzinfo=UTC)
EMOJI = "\N{GRINNING FACE}"
"""Four bytes in the log: no letter that a text may have takes more."""
WORD, WORDS = "p" * 60, EMOJI * 200
PLACE = {"lines": [WORDS] * 6, "postal_code": EMOJI * 20, "city": WORDS, "region": WORDS, "country": "DE"}
FULL = CONTACTS.max_message_bytes - HEADROOM - SPARE


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def report(number: int, letter: str) -> ContactReported:
    """As full as its contract lets it be; of the lists of which a report says a part, another part each time."""
    words = letter * 200
    place: dict[str, Any] = PLACE | {"lines": [words] * 6, "city": words, "region": words}
    consent = {"status": "granted", "given_at": START, "valid_until": at(9), "basis": "legitimate-interest"}
    return ContactReported.model_validate(
        {
            "customer": [{"scheme": "card", "value": "1"}],
            "reported_at": at(number),
            "party": "organisation",
            "stage": "customer",
            "name": words,
            "email": f"{'e' * 64}@{'e' * 190}",
            "phone": "+" + "9" * 15,
            "language": "de" + "-12345678" * 7,
            "time_zone": "x" * 64,
            "owner": words,
            "territory": WORD,
            "address": place,
            "name_parts": dict.fromkeys(NameParts.model_fields, words),
            "attributes": {f"{WORD}{n}": letter * MAX_TEXT for n in range(MAX_ATTRIBUTES)},
            "preferences": {f"{WORD}{n}": words for n in range(MAX_ATTRIBUTES)},
            "interests": {f"{WORD}{n}": True for n in range(MAX_ATTRIBUTES)},
            "phones": [{"typed": f"{n}" + letter * 98, "purpose": WORD} for n in range(MAX_POINTS)],
            "emails": [{"typed": f"{n}" + letter * 318, "purpose": WORD} for n in range(MAX_POINTS)],
            "addresses": [{"typed": place | {"postal_code": f"{n}"}, "purpose": WORD} for n in range(MAX_POINTS)],
            "consents": [
                {"purpose": f"{WORD}{number}", "channel": f"{WORD}{n}", "evidence": letter * 500, "wording": letter * 100}
                | consent
                for n in range(MAX_CONSENTS // 2)
            ],
            "roles": [{"role": role} for role in ("distributor", "agent", "supplier")],
        }
    )  # fmt: skip


def links(source: str, letter: str) -> list[PartyLink]:
    words = letter * 200
    said = {
        "title": words,
        "department": words,
        "evidence": words,
        "source": source,
        "said_at": START,
        "valid_from": at(0),
    }
    return [
        PartyLink.model_validate({"kind": kind, "to": uuid7(START)} | said) for kind in HELD for _ in range(MAX_LINKS)
    ]


def fullest(letter: str = EMOJI) -> Contact:
    """Of somebody with a rule for as many fields as can have one, whom as many as can be were merged into."""
    source = letter * MAX_ID
    card = [Identifier(scheme=f"{WORD}{n}", value=letter * 256) for n in range(MAX_IDENTIFIERS)]
    secrets = {f"{WORD}{n}": letter * MAX_TEXT for n in range(MAX_ATTRIBUTES)}
    known: Known = newcomer(uuid7(START), START)
    for number in range(2):
        known = fold(known, statement(report(number, letter), source, identifiers=card))
    known = fold(known, Statement(source, at(2), sensitive=secrets, links=links(source, letter)))
    contact = known.contact
    ruled = {f"{WORD}.{n}": letter * MAX_TEXT for n in range(MAX_RULES)}
    bars = [
        DoNotContact(channel=f"{WORD}{n}", reason=WORD, since=START, until=at(9), source=LISTS + WORD)
        for n in range((MAX_BARS + MAX_LISTED) * (MAX_MEMBERS + 1))
    ]
    return contact.model_copy(
        update={
            "attributes": contact.attributes | ruled,
            "do_not_contact": bars,
            "absorbed": [uuid7(START) for _ in range(MAX_MEMBERS)],
        }
    )


def test_the_fullest_contact_is_as_full_as_the_rules_let_it_be() -> None:
    full = fullest("e")
    assert (len(full.phones), len(full.emails), len(full.addresses)) == (MAX_POINTS,) * 3
    assert (len(full.consents), len(full.identifiers)) == (MAX_CONSENTS, MAX_IDENTIFIERS)
    assert (len(full.links), len(full.roles)) == (MAX_LINKS * len(HELD), 3)
    assert (len(full.attributes), len(full.sensitive)) == (MAX_ATTRIBUTES + MAX_RULES, MAX_ATTRIBUTES)
    empty = {name for name in Contact.model_fields if getattr(full, name) in (None, [], {})}
    assert empty == {"lifecycle"}, "which is a word and a time"


@pytest.mark.parametrize("letter", [EMOJI, "\\", '"', "\n", "\x85"])
def test_the_fullest_contact_can_be_told_and_leaves_room_for_what_we_say_of_it_ourselves(letter: str) -> None:
    fact = ContactChanged(contact=fullest(letter), changed=list(Contact.model_fields))
    assert len(fact.model_dump_json().encode()) < FULL
