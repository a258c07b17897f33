"""What agreement weighs: rare values more, households no more than a household, contradictions need a person."""

import numpy as np
import pytest

from services.contacts.domain.matching.decide import Thresholds, WrongThresholds
from services.contacts.domain.matching.finding import explained, find, indexed
from services.contacts.domain.matching.kinds import SCALES
from services.contacts.domain.matching.learning import _falling, learn, start
from services.contacts.domain.matching.table import Table
from tests.contacts.matching.kinds import FIRM, PERSON, table_of
from tests.contacts.matching.people import Record, firms, people

ANN = {
    "given": "Ann", "family": "Zuckmayer", "street": "Mill Lane", "number": "7", "postcode": "YO1 7AB", "city": "York",
    "phone": "01904 555 0199", "birth": "1950-04-03", "email": "ann@zuckmayer.example",
}  # fmt: skip


def probability(one: Record, other: Record) -> tuple[float, str]:
    """In a register of households that knows some duplicates."""
    made = people(300, seed=8)
    table = table_of(PERSON, [*made.records, one, other])
    weights = find(table, indexed(table), Thresholds()).weights
    found, why = explained(table, weights, [(len(table) - 2, len(table) - 1)])[0]
    return found, str(why)


@pytest.mark.parametrize(
    "change",
    [
        {"street": "High Street", "number": "91", "postcode": "LS2 8CD", "city": "Leeds", "phone": "0113 496 0000"},
        {"family": "Miller"},
        {"email": "", "phone": ""},
        {"birth": "1950-03-04", "given": "Anne"},
        {"given": "Zuckmayer", "family": "Ann", "email": ""},
    ],
    ids=["moved", "married", "gaps", "slips", "swapped"],
)
def test_what_happens_to_people_leaves_them_who_they_are(change: Record) -> None:
    assert probability(ANN, ANN | change)[0] >= 0.95


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"given": "Kurt", "email": ""}, "given name differs"),
        ({"given": "Kurt"}, "what differs needs a person's decision"),
        ({"birth": "1987-11-21", "email": ""}, "date of birth differs"),
        ({"given": "", "birth": "", "email": ""}, "no more than: one household"),
    ],
    ids=["twin", "twin who shares the e-mail", "child of the same name", "somebody of the household"],
)
def test_what_a_family_shares_is_not_enough(change: Record, words: str) -> None:
    found, why = probability(ANN, ANN | change)
    assert found < 0.95
    assert words in why


def test_a_rare_name_weighs_more_than_a_common_one() -> None:
    rows = [{"given": "Ann", "family": "Smith"}] * 40 + [{"given": f"N{n}", "family": f"Rare{n}"} for n in range(60)]
    table = table_of(PERSON, [*rows, {"given": "Xaver", "family": "Zuck"}, {"given": "Xaver", "family": "Zuck"}])
    weights = start(table.fields, len(table))
    (common, _), (rare, _) = explained(table, weights, [(0, 1), (100, 101)])
    assert rare > 0.5 > common


def test_hundreds_of_copies_of_one_record_are_one_customer() -> None:
    made = people(1_200, seed=9)
    table = table_of(PERSON, [*made.records, *[ANN] * 250])
    found = find(table, indexed(table), Thresholds())
    assert max(map(len, found.clusters)) == 250


def test_bits_and_probability_are_numbers_whatever_the_records() -> None:
    rows: list[Record] = [{}, {"given": ""}, dict.fromkeys(ANN, "?"), dict.fromkeys(ANN, "x"), ANN, ANN]
    cases: list[list[Record]] = [rows[:0], rows[:1], rows[:2], rows, [ANN] * 50, [{}] * 50]
    for records in cases:
        table = table_of(PERSON, records)
        found = find(table, indexed(table), Thresholds())
        assert np.isfinite(found.merged.odds).all()
        assert all(np.isfinite(m).all() and np.isclose(m.sum(), 1) for m in found.weights.m)
        assert np.isfinite(found.weights.prior)


def test_without_duplicates_nothing_is_made_up() -> None:
    made = people(400, seed=3, duplicated=0.0)
    table = table_of(PERSON, made.records)
    found = find(table, indexed(table), Thresholds())
    assert len(found.clusters) <= 0.005 * len(table)
    assert any("mostly assumed" in doubt for doubt in found.weights.doubts)


def test_a_few_duplicates_among_many_namesakes_do_not_teach_that_namesakes_are_duplicates() -> None:
    made = people(1_200, seed=3, duplicated=0.01)
    table = table_of(PERSON, made.records)
    found = find(table, indexed(table), Thresholds())
    pairs = [(a, b) for group in found.clusters for a in group for b in group if a < b]
    assert len(pairs) > 40
    assert sum(made.truth[a] == made.truth[b] for a, b in pairs) >= 0.75 * len(pairs), (
        "the rest are namesakes at one address"
    )
    assert found.weights.m[7][-1] < 0.2, "another day of birth still speaks against"


def test_what_was_assumed_stays_where_nothing_can_be_learnt() -> None:
    table = table_of(FIRM, [{"company": f"Firm {n} Ltd"} for n in range(40)])
    weights = learn(table, (np.zeros(0, np.int64), np.zeros(0, np.int64)), len(table))
    for one, m in zip(weights.fields, weights.m, strict=True):
        assert np.allclose(m, [degree.start for degree in SCALES[one.kind].degrees])


def test_firms_of_one_group_at_one_address_stay_apart() -> None:
    made = firms(700, seed=6)
    table = table_of(FIRM, made.records)
    found = find(table, indexed(table), Thresholds())
    pairs = [(a, b) for group in found.clusters for a in group for b in group if a < b]
    assert len(pairs) > 300
    assert sum(made.truth[a] == made.truth[b] for a, b in pairs) >= 0.98 * len(pairs)


@pytest.mark.parametrize(("automatic", "review", "named"), [(0.3, 0.2, "automatic"), (1.2, 0.2, "automatic"), (0.9, 0.95, "review"), (0.9, 0, "review"), (float("nan"), 0.2, "automatic")])  # fmt: skip
def test_thresholds_that_cannot_be_are_refused_by_name(automatic: float, review: float, named: str) -> None:
    with pytest.raises(WrongThresholds, match=named):
        Thresholds(automatic, review)


def test_a_table_without_fields_has_no_duplicates() -> None:
    table = Table(())
    table.append(())
    table.append(())
    assert find(table, indexed(table), Thresholds()).clusters == []


def test_of_two_unlike_agreements_the_closer_never_weighs_less() -> None:
    m, u = np.array([0.01, 0.2, 0.7, 0.09]), np.array([0.02, 0.03, 0.05, 0.9])
    ratio = m[:-1] / _falling(u, m)[:-1]
    assert np.allclose(ratio, 0.91 / 0.10), "an age that is rarely the same says what all close ages say together"
    sharp = np.array([0.9, 0.06, 0.03, 0.01])
    assert np.allclose(_falling(u, sharp), u)
