"""Of whom a row of a file speaks, and what somebody is known again by."""

from datetime import UTC, datetime
from typing import Any

import phonenumbers
import pytest
from hypothesis import given, strategies as st
from phonenumbers import PhoneNumberFormat

from services.contacts.domain.importing.mapping import Mapping
from services.contacts.domain.importing.speaking import MOST_SCATTERED, Speaking
from services.contacts.domain.naming import Sought, digest, mail_names, names_of, phone_names
from shared.contracts.contacts import Email, Phone
from shared.contracts.fact import Identifier
from tests.contacts.staff import contact

NR = {"from": "nr", "to": "identifiers.shop"}
MAIL = {"from": "mail", "to": "email"}


def names(cells: dict[str, Any], *columns: dict[str, Any], readable: bool = True, **more: Any) -> set[str]:
    speaking = Speaking("m", Mapping.model_validate({"columns": [*columns, NR], **more}), "DE")
    return set(speaking.of(cells, readable=readable))


@pytest.mark.parametrize(
    ("cells", "columns", "found"),
    [
        ({"nr": " 1 "}, [], {"shop:1"}),
        ({"nr": "1", "mail": "Ann@B.de"}, [MAIL], {"shop:1", "email:ann@b.de"}),
        ({"tel": "089 / 123456"}, [{"from": "tel", "to": "phone"}], {"phone:089123456", "phone:+4989123456"}),
        ({"tel": "089 123456"}, [{"from": "tel", "to": "phones"}], {"phone:089123456", "phone:+4989123456"}),
        ({"m": "jo@xn--mnchen-3ya.de"}, [{"from": "m", "to": "emails"}], {"email:jo@xn--mnchen-3ya.de", "email:jo@münchen.de"}),
        ({"id": "0"}, [{"from": "id", "to": "customer_id"}], {"=:0"}),
        ({"ids": '[{"scheme":"erp","value":"7"},{"scheme":3},null]'}, [{"from": "ids", "to": "identifiers", "type": "json"}], {"erp:7"}),
        ({"nr": "1", "ids": "no JSON"}, [{"from": "ids", "to": "identifiers", "type": "json"}], {"shop:1"}),
        ({"name": "Ann"}, [{"from": "name", "to": "name"}], set()),
        ({}, [], set()),
    ],
)  # fmt: skip
def test_a_row_speaks_of_whom_its_identifiers_addresses_and_numbers_are(
    cells: dict[str, Any], columns: list[dict[str, Any]], found: set[str]
) -> None:
    assert names(cells, *columns) == found


def test_the_key_of_a_row_is_an_identifier_as_it_is_when_the_row_is_taken() -> None:
    assert names({"key": " 4 "}, row_key="key") == {"import.m:4"}


def test_of_what_cannot_be_read_any_word_may_be_who_it_is_about_and_there_is_an_end_to_it() -> None:
    found = names({"nr": "4;zu;<Ann@b.de>"}, MAIL, readable=False)
    assert {"shop:4", "shop:zu", "email:ann@b.de"} <= found
    many = " ".join(map(str, range(10_000)))
    found = names({"nr": f"{many} ann@b.de"}, MAIL, readable=False)
    assert len(found) == MOST_SCATTERED
    assert "email:ann@b.de" in found, "what is surely an address comes first"
    assert names({"nr": "x" * 300}) == set()


def test_a_contact_is_known_again_by_all_that_a_row_can_say_of_it() -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    judged: dict[str, Any] = {"verdict": "valid", "reason": "ok", "said_at": now, "source": "/keys/k"}
    mail = Email(typed="Ann@work.de", purpose="work", understood="ann@work.de", **judged)
    phone = Phone(typed="089 123456", purpose="any", understood="+4989123456", **judged)
    ann = contact(
        identifiers=[Identifier(scheme="shop", value="1")], email="Ann@B.de", emails=[mail], phone=None, phones=[phone]
    )
    known = names_of([ann])
    assert known >= names({"nr": "1", "mail": "ann@b.de"}, MAIL)
    assert known >= names({"id": ann.customer_id, "nr": ""}, {"from": "id", "to": "customer_id"})
    assert known & names({"tel": "+49 89 123456", "nr": ""}, {"from": "tel", "to": "phones"})
    assert known & names({"mail": "ANN@work.de", "nr": ""}, MAIL)


MAILS = (
    "ann@b.de",
    "Ann@B.de",
    " ann@b.de",
    "mailto:ann@b.de",
    "ann@münchen.de",
    "ANN@xn--mnchen-3ya.de",
    "änn@b.de",
    "ann@b",
    "an@b.de",
    "ann",
)


@given(sought=st.sampled_from(MAILS), written=st.sampled_from(MAILS) | st.text(max_size=30) | st.emails())
def test_no_address_is_passed_over_that_is_looked_for(sought: str, written: str) -> None:
    for known, typed in ((sought, written), (written, sought)):
        wanted = mail_names(known)
        assert Sought(wanted).mail_names(typed) & wanted == mail_names(typed) & wanted


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_no_number_is_passed_over_that_is_looked_for(region: str) -> None:
    example = phonenumbers.example_number(region)
    assert example is not None
    forms = [
        PhoneNumberFormat.E164,
        PhoneNumberFormat.INTERNATIONAL,
        PhoneNumberFormat.NATIONAL,
        PhoneNumberFormat.RFC3966,
    ]
    written = [phonenumbers.format_number(example, form) for form in forms]
    written += [
        " / ".join(written[2].split()),
        f"00{written[0][1:]}",
        f"{written[2]} ext. 123",
        written[0].translate(FULL_WIDTH),
    ]
    for known in written[:1] + written[2:3]:
        wanted = phone_names(known, region)
        found = {typed: Sought(wanted).phone_names(typed, region) & wanted for typed in written}
        assert found == {typed: phone_names(typed, region) & wanted for typed in written}
        assert found[written[1]], "else nothing is shown by this"


FULL_WIDTH = {ord("0") + n: 0xFF10 + n for n in range(10)}


def test_a_digest_tells_nothing_without_its_key() -> None:
    assert digest(b"k", "shop:1") == digest(b"k", "shop:1") != digest(b"l", "shop:1")
    assert b"shop" not in digest(b"k", "shop:1")
