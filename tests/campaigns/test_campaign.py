"""Campaigns pass their states in order, and arms depend on nothing but seed and customer."""

from datetime import timedelta

import pytest

from services.campaigns.domain.campaign import Campaign, WrongState, arm, audience, closed, drawn
from services.campaigns.domain.meaning import predicate
from services.campaigns.domain.profile import Profile, fold
from services.campaigns.domain.rules import RULE
from services.campaigns.domain.statistics import sample_ratio_p
from tests.campaigns.facts import ban, consent, contact, customer, day

EVERYONE = {"field": "sales.orders", "at_least": 0}
DRAFT = Campaign(
    campaign_id="winback",
    name="Win back",
    channel="mail",
    message="We miss you",
    rule=EVERYONE,
    control_share=0.3,
    response_days=60,
    seed="7",
    created_at=day(0),
)


def test_the_arm_of_a_customer_is_always_the_same() -> None:
    assert "".join(arm("7", customer(n), 0.3)[0] for n in range(16)) == "tcctttttcctttttc"


def test_another_seed_gives_another_split() -> None:
    splits = [[arm(seed, customer(n), 0.5) for n in range(64)] for seed in ("a", "b")]
    assert splits[0] != splits[1]


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.9])
def test_the_share_held_out_is_the_one_asked_for(share: float) -> None:
    control = sum(arm("seed", customer(n), share) == "control" for n in range(20_000))
    assert sample_ratio_p(control, 20_000 - control, share) > 0.001


def test_without_control_share_nobody_is_held_out() -> None:
    assert {arm("seed", customer(n), 0.0) for n in range(1000)} == {"treatment"}


def test_a_larger_control_group_keeps_all_of_a_smaller_one() -> None:
    small, large = ({n for n in range(500) if arm("s", customer(n), share) == "control"} for share in (0.1, 0.4))
    assert small < large


def test_the_response_window_begins_with_the_draw() -> None:
    at = day(3) + timedelta(microseconds=1500)
    campaign = drawn(DRAFT, at, treated=7, held_out=3)
    assert campaign.window() == (day(3) + timedelta(milliseconds=1), day(63) + timedelta(milliseconds=1))
    assert (campaign.treated, campaign.held_out) == (7, 3)


def test_closing_ends_the_response_window_and_closing_again_changes_nothing() -> None:
    launched = drawn(DRAFT, day(3), 7, 3).model_copy(update={"state": "launched"})
    over = closed(launched, day(10))
    assert over.window() == (day(3), day(10))
    assert closed(over, day(20)) == over
    assert closed(launched, day(500)).window() == (day(3), day(63))


def test_a_campaign_that_is_being_launched_cannot_be_closed() -> None:
    with pytest.raises(WrongState):
        closed(DRAFT.model_copy(update={"state": "launching"}), day(1))


def test_a_draft_has_no_response_window() -> None:
    with pytest.raises(WrongState):
        DRAFT.window()


@pytest.mark.parametrize(
    ("answers", "addressed"),
    [
        ([], False),
        ([consent("marketing", "any", "granted", day(1))], True),
        ([consent("marketing", "any", "granted", day(1)), consent("marketing", "mail", "withdrawn", day(2))], False),
        ([consent("research", "any", "granted", day(1))], False),
    ],
)
def test_only_those_who_agreed_are_addressed(answers: list[object], addressed: bool) -> None:
    profile = Profile(customer(1))
    fold(profile, contact(customer(1), 1, consents=answers))
    asked = audience(RULE.validate_python(EVERYONE), "mail", "marketing")
    assert predicate(asked, day(9))(profile) is addressed
    assert predicate(audience(RULE.validate_python(EVERYONE), "mail", None), day(9))(profile)


@pytest.mark.parametrize("requires_consent", [None, "marketing"])
def test_nobody_is_addressed_who_must_not_be_contacted_on_the_channel(requires_consent: str | None) -> None:
    asked = audience(RULE.validate_python(EVERYONE), "mail", requires_consent)
    agreed = [consent("marketing", "any", "granted", day(1), valid_until=day(20))]
    for forbidden, at, addressed in (
        ([], 9, True),
        ([], 20, requires_consent is None),
        ([ban("mail", day(3))], 9, False),
        ([ban("any", day(3), day(10))], 9, False),
        ([ban("any", day(3), day(9))], 9, True),
        ([ban("phone", day(3))], 9, True),
    ):
        profile = Profile(customer(1))
        fold(profile, contact(customer(1), 1, consents=agreed, do_not_contact=forbidden))
        assert predicate(asked, day(at))(profile) is addressed
