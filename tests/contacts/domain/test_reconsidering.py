"""What is known of a contact once a rule is another, a field moves, or a field is dropped."""

from typing import Any

from services.contacts.domain.known import Known, Statement
from services.contacts.domain.reconsidering import cleared, judged_again, moved
from services.contacts.domain.ruling import Rule, Rules, in_force
from services.contacts.domain.survivorship import NO_RULES, fold, newcomer
from tests.contacts.domain.test_survivorship import ANN, START, at

ERP, SHOP = "/channels/erp", "/channels/shop"


def trust(*sources: str) -> Rules:
    rule = Rule(rule="source-priority", sources=sources)
    return in_force({"name": rule, "attributes.size": rule})


def known(rules: Rules) -> Known:
    one = newcomer(ANN, START)
    for hours, source, value in ((1, ERP, "erp"), (2, SHOP, "shop"), (3, "/keys/1", "desk")):
        told = Statement(source, at(hours), fields={"name": value}, attributes={"size": value})
        one = fold(one, told, rules=rules)
    return one


def held(one: Known, place: str) -> tuple[Any, str]:
    name, _, code = place.partition(".")
    value = getattr(one.contact, name)
    return (value.get(code) if code else value), one.tellers[place].source


def test_another_rule_judges_what_was_said_and_as_if_it_had_always_been_the_rule() -> None:
    before = known(trust(ERP))
    assert held(before, "name") == held(before, "attributes.size") == ("erp", ERP)
    after = judged_again(before, trust(SHOP))
    assert held(after, "name") == ("shop", SHOP)
    assert after == known(trust(SHOP))
    assert judged_again(after, NO_RULES) == known(NO_RULES)
    assert known(NO_RULES).also == {}


def test_an_attribute_moves_with_all_that_was_said_of_it() -> None:
    rules = trust(ERP)
    after = moved(known(rules), "size", "attributes", "sensitive", rules)
    assert (after.contact.attributes, held(after, "sensitive.size")) == ({}, ("erp", ERP))
    assert [one.value for one in after.also["sensitive.size"]] == ["shop", "desk"]
    assert not any("attributes.size" in kept for kept in (after.said, after.tellers, after.also))
    assert moved(after, "size", "sensitive", "attributes", rules) == known(rules)


def test_what_is_cleared_is_not_brought_back_by_what_was_said_of_it() -> None:
    rules = trust(ERP)
    after = cleared(known(rules), "attributes.size", at(4))
    assert (after.contact.attributes, "attributes.size" in after.also) == ({}, False)
    assert judged_again(after, NO_RULES).contact.attributes == {}
    late = fold(after, Statement(SHOP, at(2.5), attributes={"size": "late"}))
    assert late.contact.attributes == {}
