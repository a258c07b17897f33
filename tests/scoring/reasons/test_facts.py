"""What is said of customers, sentence by sentence."""

from dataclasses import replace

import pytest

from services.scoring.domain.purchases import Purchases
from services.scoring.domain.reasons import Fact, Situation, facts
from services.scoring.domain.reasons.fact import GOOD, Code
from services.scoring.domain.reasons.visits import usual_gap
from tests.scoring.reasons.customers import AMONG, EVERY_THREE_WEEKS, MODEL, NOBODY, bought, seen


def said(before: Situation | None, after: Situation, spends_less: float | None = None) -> list[str]:
    return [fact.text for fact in facts(before, after, AMONG._replace(spends_less=spends_less))]


def the(code: Code, before: Situation | None, after: Situation, spends_less: float | None = None) -> Fact:
    (fact,) = [one for one in facts(before, after, AMONG._replace(spends_less=spends_less)) if one.code == code]
    return fact


@pytest.mark.parametrize(
    ("purchases", "day", "sentence"),
    [
        (EVERY_THREE_WEEKS, 189 + 63, "no purchase for 9 weeks, usually every 3"),
        (EVERY_THREE_WEEKS, 189 + 200, "no purchase for 7 months, usually every 3 weeks"),
        (bought(0, 7, 14, 21), 21 + 28, "no purchase for 4 weeks, usually every week"),
        (bought(0, 1, 2, 3), 3 + 9, "no purchase for 9 days, usually every day"),
        (bought(0, 3, 6, 9), 9 + 12, "no purchase for 12 days, usually every 3"),
        (bought(0, 90, 180), 180 + 400, "no purchase for 13 months, usually every 13 weeks"),
        (bought(0, 120, 240), 240 + 730, "no purchase for 24 months, usually every 4"),
        (bought(0, 365), 365 + 1500, "no purchase for 4 years, usually every 12 months"),
    ],
)
def test_a_silence_is_told_beside_the_usual_rhythm(purchases: Purchases, day: int, sentence: str) -> None:
    assert sentence in said(None, seen(purchases, day))


@pytest.mark.parametrize("silence", [0, 1, 21, 31])
def test_a_silence_that_is_not_unusual_is_not_told(silence: int) -> None:
    assert said(None, seen(EVERY_THREE_WEEKS, 189 + silence)) == []


def test_one_long_break_is_not_the_usual_rhythm() -> None:
    assert usual_gap(bought(0, 7, 14, 21, 321, 328)) == 7
    assert usual_gap(bought(0)) is None


@pytest.mark.parametrize(
    ("day", "sentence"),
    [(1, "bought once, yesterday"), (9, "bought once, 9 days ago"), (150, "bought once, 5 months ago")],
)
def test_who_bought_once_has_no_rhythm(day: int, sentence: str) -> None:
    assert said(None, seen(bought(0), day)) == [sentence]


@pytest.mark.parametrize(("day", "sentence"), [(0, "first purchase today"), (3, "first purchase 3 days ago")])
def test_the_first_purchase_is_news_of_its_own(day: int, sentence: str) -> None:
    assert said(seen(NOBODY, 0), seen(bought(0), day)) == [sentence]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (bought(0), 35, "bought a second time, after 5 weeks"),
        (bought(0, 20, 40, 62), 81, "second purchase this month"),
        (bought(0, 28, 60, 63, 66), 70, "fourth purchase this month"),
        (bought(0, 20, 40), 200, "bought again after 5 months, usually every 3 weeks"),
        (bought(0), 100, "bought again after 3 months"),
        (bought(0, 30, 60), 91, "bought again after 4 weeks, as usual"),
        (bought(0, 60, 120), 152, "bought again after 5 weeks, usually every 9"),
        (bought(0, 20, 40), 75, "bought again after 5 weeks, usually every 3"),
    ],
)
def test_a_purchase_is_told_by_what_is_remarkable_about_it(old: Purchases, new: int, sentence: str) -> None:
    assert sentence in said(seen(old, new - 1), seen(old.plus(bought(new)), new))


def test_a_purchase_of_last_month_is_none_of_this_month() -> None:
    old = bought(0, 20)
    assert "bought again after 10 days, usually every 3 weeks" in said(seen(old, 29), seen(old.plus(bought(30)), 33))


def test_what_is_taken_back_is_told() -> None:
    assert "a purchase was taken back" in said(seen(bought(0, 30, 60), 70), seen(bought(0, 30), 70))
    assert "2 purchases were taken back" in said(seen(bought(0, 30, 60), 70), seen(bought(0), 70))


@pytest.mark.parametrize(
    ("spend", "spends_less", "sentence"),
    [
        ("34", 0.83, "spends 34 EUR a visit, more than four in five customers"),
        ("1250.40", 0.99, "spends 1,250 EUR a visit, more than nineteen in twenty customers"),
        ("4.20", 0.07, "spends 4.20 EUR a visit, less than nine in ten customers"),
    ],
)
def test_spend_is_told_beside_that_of_others(spend: str, spends_less: float, sentence: str) -> None:
    assert said(None, seen(bought(0, 20, 40, spend=spend), 45), spends_less) == [sentence]


def test_ordinary_or_unknown_spend_is_not_told() -> None:
    customer = seen(bought(0, 20, 40), 45)
    assert said(None, customer, 0.5) == []
    assert said(None, customer, None) == []
    assert said(None, seen(bought(0), 0), 0.99) == []


@pytest.mark.parametrize(
    ("spend", "sentence"),
    [
        ("120", "spent 120 EUR last time, usually 35 EUR"),
        ("9.5", "spent 9.50 EUR last time, usually 35 EUR"),
        ("40", None),
        ("0", None),
    ],
)
def test_an_unusual_last_spend_is_told(spend: str, sentence: str | None) -> None:
    after = seen(bought(0, 20, 40, 60).plus(bought(80, spend=spend)), 80)
    sentences = said(None, after)
    assert sentences == ([sentence] if sentence else [])


def test_what_somebody_spends_is_old_news_when_only_time_has_passed() -> None:
    purchases = bought(0, 20, 40, 60).plus(bought(80, spend="120"))
    assert said(seen(purchases, 81), seen(purchases, 90), 0.99) == []


@pytest.mark.parametrize(
    ("days", "today", "sentence"),
    [
        ((0, 30, 60, 90, *range(110, 190, 8)), 184, "10 purchases in the last 3 months, 3 in the 3 before"),
        ((*range(0, 100, 10), 130, 180), 190, "2 purchases in the last 3 months, 9 in the 3 before"),
        ((*range(0, 100, 10), 130), 140, None),
        (tuple(range(0, 190, 10)), 190, None),
        ((100, 110, 170, 175, 180), 190, None),
    ],
)
def test_a_change_of_pace_is_told_if_the_customer_was_there_for_both_quarters(
    days: tuple[int, ...], today: int, sentence: str | None
) -> None:
    told = [text for text in said(None, seen(bought(*days), today)) if "3 months" in text]
    assert told == ([sentence] if sentence else [])


def test_a_change_of_pace_is_told_once() -> None:
    often = (0, 30, 60, 90, *range(110, 190, 8))
    sentence = "10 purchases in the last 3 months, 3 in the 3 before"
    assert sentence in said(seen(bought(*often[:7]), 140), seen(bought(*often), 184))
    assert said(seen(bought(*often), 184), seen(bought(*often), 185)) == []


def test_who_is_silent_is_not_said_to_buy_less_often_as_well() -> None:
    assert said(None, seen(EVERY_THREE_WEEKS, 189 + 63)) == ["no purchase for 9 weeks, usually every 3"]


@pytest.mark.parametrize(
    ("signals", "sentences"),
    [
        ({"payment-failed": 1}, ["payment failed once"]),
        ({"payment-failed": 2, "complaint": 3}, ["payment failed twice", "complained three times"]),
        ({"return": 12}, ["returned goods 12 times"]),
        ({"complaint": 0}, []),
    ],
)
def test_troubles_are_told_with_their_number(signals: dict[str, int], sentences: list[str]) -> None:
    after = seen(bought(0, 20, 40), 45, signals)  # type: ignore[arg-type]
    assert said(None, after) == sentences


def test_troubles_that_were_there_before_are_not_told_again() -> None:
    before = seen(bought(0, 20, 40), 44, {"payment-failed": 2})
    assert said(before, seen(bought(0, 20, 40), 45, {"payment-failed": 2})) == []
    assert said(before, seen(bought(0, 20, 40), 45, {"payment-failed": 3})) == ["payment failed three times"]


def test_without_a_silence_the_last_purchase_is_as_old_as_usual() -> None:
    after = seen(EVERY_THREE_WEEKS, 189 + 63)
    without = the("silent", None, after).without
    assert without is not None
    assert after.today - without.today == 63 - 21
    assert without.purchases == EVERY_THREE_WEEKS


def test_without_a_purchase_the_customer_is_as_before_but_today() -> None:
    old = bought(0, 20, 40)
    without = the("came-back", seen(old, 150), seen(old.plus(bought(200)), 201)).without
    assert without == seen(old, 201)


@pytest.mark.parametrize(
    ("days", "today", "code", "times"),
    [
        ((0, 30, 60, 90, *range(110, 190, 8)), 184, "buys-more-often", 3),
        ((*range(0, 100, 10), 130, 180), 190, "buys-less-often", 9),
    ],
)
def test_without_a_change_of_pace_there_are_as_many_purchases_as_in_the_quarter_before(
    days: tuple[int, ...], today: int, code: Code, times: int
) -> None:
    after = seen(bought(*days), today)
    without = the(code, None, after).without
    assert without is not None
    recent = [day.day for day in without.purchases.days if day.day > without.today - 91]
    assert len(recent) == times
    assert without.purchases.days[-1] == after.purchases.days[-1]
    assert without.purchases.first_day == after.purchases.first_day
    assert recent == sorted(set(recent))


def test_without_an_unusual_spend_the_last_one_is_the_mean_of_the_others() -> None:
    purchases = bought(0, 20, 40, 60).plus(bought(80, spend="120"))
    without = the("spent-more", None, seen(purchases, 80)).without
    assert without is not None
    assert without.purchases == bought(0, 20, 40, 60, 80)


def test_figures_stand_beside_the_words() -> None:
    assert the("silent", None, seen(EVERY_THREE_WEEKS, 189 + 63)).figures == {"days": 63, "usual_days": 21.0}
    spends = the("spends-much", None, seen(bought(0, 20, 40), 45), 0.83)
    assert spends.figures == {"spend": 35.0, "spends_less": 0.83}
    failed = the("payment-failed", None, seen(bought(0), 0, {"payment-failed": 2}))
    assert failed.figures == {"times": 2, "times_before": 0}


def test_good_news_are_good_and_bad_are_bad() -> None:
    assert GOOD.isdisjoint({"silent", "bought-once", "taken-back", "payment-failed", "complained", "buys-less-often"})
    assert the("silent", None, seen(EVERY_THREE_WEEKS, 189 + 63)).good is False


def test_a_purchase_dated_tomorrow_by_a_fast_clock_breaks_nothing() -> None:
    assert said(None, seen(bought(0, 20, 41), 40)) == []
    assert said(seen(NOBODY, 40), seen(bought(41), 40)) == ["first purchase today"]


@pytest.mark.parametrize(
    ("season", "code", "sentence"),
    [
        (1.32, "high-season", "customers buy about a third more than usual in the time to come"),
        (0.8, "low-season", "customers buy about a fifth less than usual in the time to come"),
    ],
)
def test_a_season_is_told_with_what_would_be_without_it(season: float, code: Code, sentence: str) -> None:
    after = replace(seen(EVERY_THREE_WEEKS, 189), season=season)
    fact = the(code, None, after)
    assert (fact.text, fact.without, fact.good) == (sentence, replace(after, season=1.0), season > 1)
    ours, without = MODEL([after, replace(after, season=1.0)]).value
    assert abs(ours / without / season - 1) < 0.1


@pytest.mark.parametrize("season", [0.91, 1.0, 1.09])
def test_a_season_that_moves_little_is_not_told(season: float) -> None:
    assert said(None, replace(seen(EVERY_THREE_WEEKS, 189), season=season)) == []
