"""Whatever contact could be told, the view of its customer can be: all else in it has an end, also in the characters of before."""

from services.sync.domain.known import NOTHING
from services.sync.domain.view import RECENT_CAMPAIGNS, RECENT_INTERACTIONS, Held, take
from shared.contracts.contacts import CONTACTS
from shared.contracts.sync import BESIDE_A_CONTACT, CUSTOMERS
from shared.messaging.envelope import MAX_ID
from tests.sync.facts import ANNA, NOW, contact, interaction, order, score, selected

WIDE = "\x01"
"""Six bytes in the log. No text from outside holds it any more, but those that are kept may."""


def test_all_that_a_view_has_beside_its_contact_fits_beside_it() -> None:
    met = {"interaction_id": f"{WIDE * MAX_ID}/{WIDE * MAX_ID}", "channel": WIDE * MAX_ID, "kind": "k" * 64}
    words = {"campaign": WIDE * 200, "summary": WIDE * 2000}
    wanted = {"name": WIDE * 200, "channel": "c" * 64, "message": WIDE * 2000}
    known = NOTHING
    for number in range(1, 1 + max(RECENT_CAMPAIGNS, RECENT_INTERACTIONS)):
        known = take(known, interaction(number=number).model_copy(update=met | words))
        campaign = selected(number=number).model_copy(update=wanted | {"campaign_id": f"{number}" + WIDE * 198})
        known = take(known, campaign)
    known = take(take(take(known, order(total="999999999.999999")), score()), contact())
    view = Held(ANNA, 2**53, NOW, known).view()
    assert view.count(b'"summary"') == RECENT_INTERACTIONS
    assert view.count(b'"message"') == RECENT_CAMPAIGNS
    assert len(view) - len(known.contact) < BESIDE_A_CONTACT
    assert CUSTOMERS.max_message_bytes == CONTACTS.max_message_bytes + BESIDE_A_CONTACT
