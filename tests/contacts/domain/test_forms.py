"""What a form on the web may say of somebody whom we know."""

from datetime import UTC, datetime

from services.contacts.domain.forms import of_known
from services.contacts.domain.survivorship import newcomer
from shared.contracts.channels import ContactReported
from shared.contracts.fact import Identifier
from shared.ids import uuid7

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def test_a_form_fills_what_is_empty_and_replaces_nothing_also_not_what_is_sensitive() -> None:
    held = newcomer(uuid7(NOW), NOW).contact.model_copy(
        update={"name": "Ann", "attributes": {"size": 4}, "sensitive": {"wage": 3000}}
    )
    report = ContactReported(
        customer=[Identifier(scheme="email", value="ann@b.de")],
        reported_at=NOW,
        name="Mallory",
        stage="lead",
        language="de",
        attributes={"size": 9, "wage": 1, "hat": 38, "lead-source": "fair"},
    )
    left = of_known(report, held)
    assert (left.name, left.stage, left.language) == (None, None, "de")
    assert left.attributes == {"hat": 38, "lead-source": "fair"}
