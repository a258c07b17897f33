"""What a form on the web may say of somebody whom we know."""

from datetime import UTC, datetime, timedelta

import pytest

from services.contacts.domain.forms import of_known
from services.contacts.domain.survivorship import newcomer
from shared.contracts.channels import ConsentClaim, ContactReported
from shared.contracts.contacts import Consent
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


@pytest.mark.parametrize(("refused", "ticked"), [("email", "email"), ("any", "email"), ("email", "any")])
def test_a_form_opens_nothing_that_the_customer_has_refused_not_by_a_yes_on_every_channel_either(
    refused: str, ticked: str
) -> None:
    no = Consent(purpose="news", channel=refused, status="withdrawn", given_at=NOW, source="/channels/shop")
    held = newcomer(uuid7(NOW), NOW).contact.model_copy(update={"consents": [no]})
    yes = ConsentClaim(purpose="news", channel=ticked, status="granted", given_at=NOW + timedelta(days=1))
    other = yes.model_copy(update={"purpose": "events"})
    who = [Identifier(scheme="email", value="ann@b.de")]
    report = ContactReported(customer=who, reported_at=NOW, consents=[yes, other])
    assert of_known(report, held).consents == [other]
