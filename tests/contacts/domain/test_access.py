"""Which contacts keys are for, and what of them is sensitive: the rules."""

from services.contacts.domain.access import Rows, Sensitive
from services.contacts.domain.changes import Change, FieldChange
from shared.contracts.fact import Identifier
from shared.ids import uuid7
from tests.contacts.staff import NOW, contact


def test_of_territories_and_owners_both_must_fit() -> None:
    rows = Rows(frozenset({"north", "east"}), frozenset({"olga"}))
    assert rows.sees(contact(territory="east", owner="olga"))
    assert not rows.sees(contact(territory="east", owner="otto"))
    assert not rows.sees(contact(territory="south", owner="olga"))
    assert not rows.sees(contact())
    assert Rows(frozenset({"north"})).sees(contact(territory="north"))
    assert Rows().sees(contact())


def test_sensitive_codes_are_known_in_any_spelling_and_hidden_wherever_they_are() -> None:
    sensitive = Sensitive()
    ann = contact(
        attributes={"national_id": 7, "size": 38, "birth-date": "1990-01-01"},
        interests={"health": True},
        identifiers=[Identifier(scheme="passport", value="x"), Identifier(scheme="crm", value="1")],
    )
    found = sensitive.fields_of(ann)
    assert set(found) == {"attributes.national_id", "attributes.birth-date", "interests.health", "identifiers.passport"}
    hidden = sensitive.hidden(ann)
    assert (hidden.attributes, hidden.interests, [str(one) for one in hidden.identifiers]) == (
        {"size": 38},
        {},
        ["crm:1"],
    )
    assert sensitive.hidden(hidden) is hidden


def test_what_the_company_defines_as_sensitive_is_hidden_wherever_it_still_stands() -> None:
    defined = ["wage"]
    sensitive = Sensitive(("iban",), lambda: frozenset(defined))
    ann = contact(attributes={"wage": 7, "hat": 38}, sensitive={"debts": 3})
    assert sensitive.fields_of(ann) == ["attributes.wage", "sensitive.debts"]
    hidden = sensitive.hidden(ann)
    assert (hidden.attributes, hidden.sensitive) == ({"hat": 38}, {})
    change = Change(
        uuid7(NOW),
        2,
        "changed",
        NOW,
        NOW,
        "o",
        (FieldChange("attributes.wage", 6, 7), FieldChange("sensitive.x", 1, 2)),
    )
    assert [(one.before, one.after) for one in sensitive.hidden_in(change).fields] == [(None, None)] * 2
    json = {"attributes": {"wage": 7, "hat": 38}, "sensitive": {"x": 1}, "name": "Ann"}
    assert sensitive.hidden_among(json) == {"attributes": {"hat": 38}, "sensitive": {}, "name": "Ann"}
    defined.clear()
    assert sensitive.fields_of(ann) == ["sensitive.debts"], "what stands apart was said as sensitive"


def test_of_a_change_what_is_sensitive_is_named_but_not_shown() -> None:
    sensitive = Sensitive()
    before, after = (
        [{"scheme": "crm", "value": "1"}],
        [{"scheme": "ssn", "value": "9"}, {"scheme": "crm", "value": "2"}],
    )
    fields = (
        FieldChange("attributes.iban", "X", None),
        FieldChange("identifiers", before, after),
        FieldChange("name", "A", "B"),
    )
    change = Change(uuid7(NOW), 2, "changed", NOW, NOW, "o", fields)
    assert sensitive.fields_changed(change) == ["attributes.iban", "identifiers.ssn"]
    assert sensitive.hidden_in(change).fields == (
        FieldChange("attributes.iban", None, None),
        FieldChange("identifiers", before, after[1:]),
        FieldChange("name", "A", "B"),
    )
    plain = Change(uuid7(NOW), 2, "changed", NOW, NOW, "o", fields[2:])
    assert sensitive.hidden_in(plain) is plain
