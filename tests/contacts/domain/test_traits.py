"""What contacts are found by beside their names."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.contacts.domain.places import Place
from services.contacts.domain.survivorship import Known, newcomer
from services.contacts.domain.traits import MAX_ENTRIES, Wanted, has, keys, plain
from shared.contracts.channels import Address
from shared.contracts.parties import Lifecycle, Role
from shared.ids import uuid7

NOW = datetime(2026, 1, 2, tzinfo=UTC)
DAY = timedelta(days=1)


def known(**fields: Any) -> Known:
    one = newcomer(uuid7(NOW), NOW)
    return replace(one, contact=one.contact.model_copy(update=fields))


def role(since: datetime | None, until: datetime | None) -> Role:
    return Role(role="agent", since=since, until=until, source="s", said_at=NOW)


def test_each_trait_is_a_key() -> None:
    ann = known(
        party="organisation",
        address=Address(city="Köln", country="DE"),
        territory="north",
        owner="Olga O=",
        roles=[role(None, None)],
        lifecycle=Lifecycle(stage="lapsed", since=NOW, reason="gone"),
    )
    assert keys(ann) == [
        "city=koln", "country=DE", "owner=Olga O=", "party=organisation", "role=agent", "stage=lapsed", "territory=north",
    ]  # fmt: skip
    assert keys(known()) == ["party=person", "stage=prospect"]


def test_who_is_a_part_of_another_is_found_by_nothing_and_the_other_by_what_all_are() -> None:
    ann = known(territory="north")
    golden = ann.contact.model_copy(update={"territory": "south"})
    assert "territory=south" in keys(replace(ann, place=Place(members=("b",), golden=golden)))
    assert keys(replace(ann, place=Place(root="b"))) == []


@pytest.mark.parametrize(
    ("typed", "spelt"),
    [
        ("Köln", "koln"),
        ("KOELN", "koln"),
        ("Łódź", "lodz"),
        ("L'Aquila", "laquila"),
        (" Saint-Étienne ", "saint etienne"),
        ("Москва", "moskva"),
        ("--", ""),
    ],
)
def test_a_city_is_one_however_it_is_written(typed: str, spelt: str) -> None:
    assert plain(typed) == spelt


def test_a_city_without_letters_is_none() -> None:
    assert keys(known(address=Address(city="--"))) == ["party=person", "stage=prospect"]


def test_lists_are_found_by_their_entries_and_texts_are_not() -> None:
    ann = known(
        attributes={"sports": "golf,chess", "note": "Bonn, or not", "n": 3, "one": "golf"}, sensitive={"x": "a,b"}
    )
    found = [one for one in keys(ann) if one.startswith("field.")]
    assert found == ["field.sports=chess", "field.sports=golf", "field.x=a", "field.x=b"]
    assert has(ann.contact, Wanted("attributes", "sports", "golf", entry=True))
    assert has(ann.contact, Wanted("attributes", "one", "golf", entry=True))
    assert has(ann.contact, Wanted("sensitive", "x", "b", entry=True))
    assert not has(ann.contact, Wanted("attributes", "sports", "gol", entry=True))
    assert not has(ann.contact, Wanted("attributes", "sports", "golf")), "a list is no text"


def test_nobody_fills_the_index_with_one_contact() -> None:
    many = ",".join(f"{number:x}" for number in range(200))
    ann = known(attributes={f"list-{number}": many for number in range(50)})
    assert len(keys(ann)) == MAX_ENTRIES + 2


@pytest.mark.parametrize(
    ("since", "until", "stands"),
    [(None, None, True), (NOW, None, True), (NOW + DAY, None, False), (None, NOW, False), (NOW - DAY, NOW + DAY, True)],
)
def test_a_role_is_asked_for_at_a_time(since: datetime | None, until: datetime | None, *, stands: bool) -> None:
    ann = known(roles=[role(since, until)])
    assert "role=agent" in keys(ann)
    assert has(ann.contact, Wanted("traits", "role", "agent", at=NOW)) is stands
    assert not has(ann.contact, Wanted("traits", "role", "supplier", at=NOW))
