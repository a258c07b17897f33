"""What is sensitive by its code: hidden in views as contacts hides it, from channels and from keys."""

from typing import Any

import orjson
import pytest
from hypothesis import given, strategies as st

from services.sync.domain.known import NOTHING, written
from services.sync.domain.policy import Policy, allowed
from services.sync.domain.sensitive import Sensitive
from services.sync.domain.view import take
from shared.contracts.sensitive import SENSITIVE
from shared.settings import PlatformSettings
from tests.sync.facts import ANNA, BERT, NOW, contact
from tests.sync.receiver import Receiver
from tests.sync.running import running
from tests.waiting import eventually

PASSPORT, CARD = {"scheme": "passport", "value": "X1"}, {"scheme": "loyalty-card", "value": "4711"}
SAID: dict[str, Any] = {
    "identifiers": [CARD, PASSPORT],
    "attributes": {"kids": 2, "birth_date": "1980-01-01", "income": "high"},
    "interests": {"golf": True, "religion": True},
    "preferences": {"seat": "aisle", "political.opinion": "none"},
    "sensitive": {"salary": 7},
}
SHOWN = {
    "identifiers": [CARD],
    "attributes": {"kids": 2},
    "interests": {"golf": True},
    "preferences": {"seat": "aisle"},
    "sensitive": None,
}
VIEW = written(ANNA, 3, NOW, take(NOTHING, contact(**SAID)))


def policy(*fields: str) -> Policy:
    return Policy(1, "service", "contract", fields, "desk")


def seen(*fields: str, sensitive: Sensitive | None = None) -> dict[str, Any]:
    """Those of the fields above that a channel of this policy sees."""
    shown = orjson.loads(allowed(policy(*fields), VIEW, NOW, sensitive or Sensitive()).customer)["contact"]
    return {name: shown.get(name) for name in SAID if name in shown}


@pytest.mark.parametrize("fields", [("*",), ("contact",), ("contact", "sales"), ("*", "contact.attributes")])
def test_who_is_shown_a_contact_sees_nothing_sensitive_of_it(fields: tuple[str, ...]) -> None:
    assert seen(*fields) == {name: value for name, value in SHOWN.items() if value}


def test_a_part_of_a_contact_holds_as_little() -> None:
    for name in ("identifiers", "attributes", "interests", "preferences"):
        assert seen(f"contact.{name}") == {name: SHOWN[name]}


def test_what_a_policy_names_is_seen() -> None:
    assert seen("contact.attributes.birth_date") == {"attributes": {"birth_date": "1980-01-01"}}
    assert seen("*", "contact.attributes.birth_date")["attributes"] == {"kids": 2, "birth_date": "1980-01-01"}
    assert seen("contact", "contact.sensitive.passport")["identifiers"] == [CARD, PASSPORT]
    assert seen("contact", "contact.sensitive.political-opinion")["preferences"] == SAID["preferences"]
    assert seen("contact", "contact.sensitive") == SAID
    assert seen("*", "contact.sensitive") == SAID


def test_which_codes_they_are_is_the_companys_to_say() -> None:
    shown = seen("*", sensitive=Sensitive(["kids"]))
    assert shown["attributes"] == {"birth_date": "1980-01-01", "income": "high"}
    assert shown["identifiers"] == [CARD, PASSPORT]


codes = st.one_of(
    st.sampled_from(SENSITIVE).flatmap(
        lambda code: st.sampled_from([code, code.replace("-", ""), code.replace("-", "_"), f"{code[:2]}.{code[2:]}"])
    ),
    st.from_regex(r"[a-z][a-z0-9._-]{0,8}", fullmatch=True),
)


@given(st.dictionaries(codes, st.booleans(), max_size=4), st.lists(codes, max_size=2))
def test_what_is_sensitive_is_found_however_its_code_is_written(
    attributes: dict[str, bool], schemes: list[str]
) -> None:
    identifiers = [{"scheme": scheme, "value": "1"} for scheme in schemes]
    view = written(ANNA, 3, NOW, take(NOTHING, contact(attributes=attributes, identifiers=identifiers)))
    sensitive, document = Sensitive(), orjson.loads(view)
    taken = sensitive.keep_back(document)
    assert taken is any(code in sensitive for code in [*attributes, *schemes])
    assert orjson.loads(sensitive.without(view)) == document
    assert allowed(policy("*"), view, NOW, sensitive).customer == (orjson.dumps(document) if taken else view)


@pytest.mark.integration
async def test_a_service_hides_them_from_keys_and_channels_that_were_not_given_them(
    settings: PlatformSettings, topics: dict[str, int], receiver: Receiver
) -> None:
    async with running(settings, contacts_sensitive=["passport", "income"]) as service:
        hook = {"channel_id": "e-shop", "kind": "webhook", "purpose": "service", "basis": "contract", "fields": ["*"]}
        await service.send("POST", "/v1/channels", {**hook, "url": receiver.url}, 201)
        await service.tell(contact(ANNA, **SAID), contact(BERT))
        whole = (await service.view(ANNA))["contact"]
        assert {name: whole[name] for name in SAID} == SAID
        await eventually(lambda: receiver.versions(ANNA) == [1])
        [told] = [body for body in receiver.bodies if body["customer_id"] == ANNA]

        asked = {"name": "Report", "kind": "service", "scopes": ["customers:read"]}
        issued = await service.send("POST", "/v1/keys", asked, 201)
        headers = {"authorization": f"Bearer {issued['key']}"}

        async def known() -> bool:
            async with service.http.get("/v1/customers/summary", headers=headers) as answer:
                return answer.status == 200

        await eventually(known)
        paths = (f"/v1/customers/{ANNA}", "/v1/customers", "/v1/customers?identifier=loyalty-card:4711")
        answers = [await service.get(path, headers=headers) for path in paths]
        found = [answers[0], *(one for page in answers[1:] for one in page["items"] if one["customer_id"] == ANNA)]
        assert len(found) == 3
        for shown in [told["customer"]["contact"], *(one["contact"] for one in found)]:
            assert shown["attributes"] == {"kids": 2, "birth_date": "1980-01-01"}
            assert (shown["identifiers"], "sensitive" in shown) == ([CARD], False)
        problem = await service.get("/v1/customers?identifier=passport:X1", 403, headers=headers)
        assert problem["errors"][0]["field"] == "query.identifier"
        assert len((await service.get("/v1/customers?identifier=passport:X1"))["items"]) == 1
        seen = (await service.get("/v1/audit", headers={"x-purpose": "Look"}))["items"]
        assert {(one["key"], one["action"]) for one in seen} == {("admin", "read"), ("admin", "find")}
        fields = ["attributes.income", "identifiers.passport", "sensitive.salary"]
        assert [one for one in seen if (one["customers"], one["fields"]) != ([ANNA], fields)] == []
