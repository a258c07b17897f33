"""What stands for nothing is told from what a family shares."""

from services.contacts.domain.matching.standins import forget_stand_ins
from tests.contacts.matching.kinds import PERSON, table_of

OTHERS = [
    {"family": f"family{n}", "email": f"{n}@mail.example", "birth": f"{1950 + n % 50}-03-{n % 28 + 1:02}"}
    for n in range(400)
]


def test_what_many_of_different_names_have_is_forgotten() -> None:
    dummies = [{"family": f"other{n}", "email": "noreply@shop.example", "birth": "1900-01-01"} for n in range(200)]
    table = table_of(PERSON, OTHERS + dummies)
    found = forget_stand_ins(table)
    assert [(one.column, one.value, one.records) for one in found] == [
        ("birth", "19000101", 200), ("email", "noreply@shop.example", 200),
    ]  # fmt: skip
    place = [one.name for one in PERSON].index("email")
    assert table.row(500)[place] == ""
    assert table.row(3)[place] == "3@mail.example"
    assert table.present[place] == 400


def test_what_many_records_of_one_name_have_stays() -> None:
    table = table_of(PERSON, OTHERS + [{"family": "smith", "email": "ann@smith.example"}] * 200)
    assert not forget_stand_ins(table)


def test_without_names_nothing_is_forgotten() -> None:
    table = table_of(
        PERSON, [{"email": "noreply@shop.example"}] * 200 + [{"email": f"{n}@mail.example"} for n in range(400)]
    )
    assert not forget_stand_ins(table)
