"""What is known of an erasure, whatever comes when and however often."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.contacts.domain.erasure import (
    PLACES,
    SERVICES,
    Erasure,
    Patience,
    awaited,
    begun,
    late_places,
    receipted,
    summary,
    traces_of,
)
from shared.contracts.contacts import Contact
from shared.contracts.erasures import ErasureAwaited, ErasureDone

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
ID = "019b7a2c-5c00-7d3e-a1b2-0c9d8e7f6a5b"
ANN = "019b7a2c-5c01-7000-8000-5a4b3c2d1e0f"


def erasure() -> Erasure:
    return begun(Erasure(ID, (ANN,), "objection", "customer", None, "/keys/k", NOW, NOW + timedelta(days=30)))


def done(place: str, hours: float = 1, removed: int = 1) -> ErasureDone:
    return ErasureDone(erasure_id=ID, place=place, at=NOW + timedelta(hours=hours), removed={"rows": removed})


def shop(hours: float = 0) -> ErasureAwaited:
    return ErasureAwaited(erasure_id=ID, place="channel:shop", since=NOW + timedelta(hours=hours))


def test_it_is_done_when_every_place_is() -> None:
    one = awaited(erasure(), shop())
    for hours, place in enumerate([*PLACES, "channel:shop"], 1):
        assert one.done_at is None
        assert place in one.open_places
        one = receipted(one, done(place, hours))
    assert (one.open_places, one.done_at) == ([], NOW + timedelta(hours=7))


def test_the_same_facts_in_any_order_and_twice_are_the_same_places() -> None:
    facts: list[ErasureAwaited | ErasureDone] = [shop(), done("channel:shop", 5), done("sync", 2)]

    def after(told: tuple[ErasureAwaited | ErasureDone, ...]) -> dict[str, datetime | None]:
        one = erasure()
        for fact in (*told, *told):
            one = awaited(one, fact) if isinstance(fact, ErasureAwaited) else receipted(one, fact)
        return {place.place: place.at for place in one.places}

    results = [after(told) for told in itertools.permutations(facts)]
    assert all(result == results[0] for result in results)
    assert results[0]["channel:shop"] == NOW + timedelta(hours=5)


def test_the_first_receipt_holds() -> None:
    one = receipted(receipted(erasure(), done("sync", 1, removed=3)), done("sync", 2, removed=0))
    [sync] = [place for place in one.places if place.place == "sync"]
    assert (sync.at, sync.removed) == (NOW + timedelta(hours=1), {"rows": 3})


def test_the_log_may_be_looked_through_once_the_last_service_is_silent() -> None:
    one = erasure()
    for hours, place in enumerate(SERVICES, 1):
        assert one.told_until is None
        one = receipted(one, done(place, hours))
    assert one.told_until == NOW + timedelta(hours=5)


@pytest.mark.parametrize(
    ("days", "late"),
    [
        (0, []),
        (2.99, []),
        (3, ["scoring", "channel:shop"]),
        (23, ["scoring", "log", "channel:shop"]),
        (27, ["scoring", "log", "channel:shop"]),
        (400, ["scoring", "log", "channel:shop"]),
    ],
)
def test_a_place_is_late_after_its_time_or_near_the_deadline(days: float, late: list[str]) -> None:
    one = awaited(erasure(), shop())
    for place in ("contacts", "interactions", "campaigns", "sync"):
        one = receipted(one, done(place))
    assert late_places(one, NOW + timedelta(days=days), Patience()) == late


def test_a_short_term_is_no_alarm_from_the_beginning() -> None:
    one = replace(erasure(), deadline=NOW + timedelta(days=1))
    assert late_places(one, NOW + timedelta(hours=17), Patience()) == []
    assert late_places(one, NOW + timedelta(hours=18), Patience()) == list(PLACES)


def test_all_channels_count_as_one_kind_of_place() -> None:
    one = awaited(awaited(erasure(), shop()), ErasureAwaited(erasure_id=ID, place="channel:pos", since=NOW))
    assert summary([(one, ["channel:pos"])]) == {
        "open": dict.fromkeys((*PLACES, "channel"), 1),
        "late": {"channel": 1},
    }
    assert summary([]) == {"open": {}, "late": {}}


def test_traces_are_what_only_one_person_has() -> None:
    contact = Contact.model_validate(
        {
            "customer_id": ANN,
            "version": 1,
            "party": "person",
            "stage": "lead",
            "identifiers": [{"scheme": "card", "value": "7"}],
            "name": "Ann Example",
            "email": "ann@example.org",
            "registered_at": NOW,
            "changed_at": NOW,
        }
    )
    traces = traces_of([contact])
    assert traces.identifiers == {"card:7"}
    assert traces.texts == {"ann@example.org"}
    assert not traces_of([]).texts
