"""Columns are understood by their names, in several languages, and by what is in them."""

import pytest

from services.contacts.domain.matching.fields import BadMap, understand
from services.contacts.domain.matching.kinds import Kind
from tests.contacts.matching.people import firms, people


def kinds(columns: dict[str, list[str]], mapped: dict[str, str] | None = None) -> dict[str, Kind]:
    return {one.name: one.kind for one in understand(columns, mapped).fields}


PEOPLE = people(60, seed=2).records
VALUES = {name: [one[name] for one in PEOPLE] for name in PEOPLE[0]}
GIVEN, FAMILY, BIRTH, EMAIL, PHONE, STREET, CITY, POSTCODE, NUMBER = (
    VALUES[name] for name in ("given", "family", "birth", "email", "phone", "street", "city", "postcode", "number")
)


@pytest.mark.parametrize(
    ("header", "values", "kind"),
    [
        ("first_name", GIVEN, Kind.GIVEN),
        ("FirstName", GIVEN, Kind.GIVEN),
        ("Vorname", GIVEN, Kind.GIVEN),
        ("prénom", GIVEN, Kind.GIVEN),
        ("fname_c1", GIVEN, Kind.GIVEN),
        ("surname", FAMILY, Kind.FAMILY),
        ("LAST NAME", FAMILY, Kind.FAMILY),
        ("Nachname", FAMILY, Kind.FAMILY),
        ("apellidos", FAMILY, Kind.FAMILY),
        ("midl_name", GIVEN, Kind.MIDDLE),
        ("full_name", [f"{g} {f}" for g, f in zip(GIVEN, FAMILY, strict=True)], Kind.NAME),
        ("Name", [f"{g} {f}" for g, f in zip(GIVEN, FAMILY, strict=True)], Kind.NAME),
        ("dob", BIRTH, Kind.BIRTH),
        ("date_of_birth", BIRTH, Kind.BIRTH),
        ("Geburtsdatum", BIRTH, Kind.BIRTH),
        ("birth_year", [value[:4] for value in BIRTH], Kind.YEAR),
        ("Age", [str(18 + number % 70) for number in range(100)], Kind.YEAR),
        ("birth_place", CITY, Kind.TEXT),
        ("E-Mail", EMAIL, Kind.EMAIL),
        ("contact_info", EMAIL, Kind.EMAIL),
        ("Telefon", PHONE, Kind.PHONE),
        ("mobile number", PHONE, Kind.PHONE),
        ("address_1", STREET, Kind.STREET),
        ("address_2", STREET, Kind.TEXT),
        ("Straße", STREET, Kind.STREET),
        ("street_number", NUMBER, Kind.NUMBER),
        ("Hausnr", NUMBER, Kind.NUMBER),
        ("PLZ", POSTCODE, Kind.POSTCODE),
        ("zip_code", POSTCODE, Kind.POSTCODE),
        ("postcode_fake", POSTCODE, Kind.POSTCODE),
        ("suburb", CITY, Kind.CITY),
        ("state", CITY, Kind.REGION),
        ("soc_sec_id", PHONE, Kind.IDENTIFIER),
        ("company_number", PHONE, Kind.IDENTIFIER),
        ("VAT ID", PHONE, Kind.IDENTIFIER),
        ("gender", ["m", "f"] * 50, Kind.CATEGORY),
        ("occupation", CITY, Kind.TEXT),
        ("x7", BIRTH, Kind.BIRTH),
        ("x8", [f"{number} {street}" for number, street in zip(range(len(STREET)), STREET, strict=True)], Kind.STREET),
        ("buyer", [f"{g} {f}" for g, f in zip(GIVEN, FAMILY, strict=True)], Kind.NAME),
        ("customer_segment", ["gold", "silver"] * 50, Kind.CATEGORY),
        ("status_now", ["paid", "paid", "open", "opne"] * 30, Kind.CATEGORY),
        ("patient age", [str(18 + number % 70) for number in range(100)], Kind.YEAR),
        ("NHS No", [str(4_000_000_000 + number // 2) for number in range(100)], Kind.IDENTIFIER),
    ],
)
def test_a_column_is_understood(header: str, values: list[str], kind: Kind) -> None:
    assert kinds({header: values}) == {header: kind}


@pytest.mark.parametrize("header", ["id", "rec_id", "unique_id", "cluster", "cluster_id", "Unnamed: 0", "source_dataset", "created_at", "latitude"])  # fmt: skip
def test_what_numbers_or_groups_records_is_not_compared(header: str) -> None:
    chosen = understand({header: [str(number) for number in range(100)], "surname": FAMILY[:100]})
    assert [one.name for one in chosen.fields] == ["surname"]
    assert chosen.left_out[header]


def test_a_column_of_firms_is_known_by_their_legal_forms() -> None:
    assert kinds({"name": [one["company"] for one in firms(60, seed=1).records]}) == {"name": Kind.ORGANISATION}


def test_what_is_said_twice_counts_once() -> None:
    whole = [f"{given} {family}" for given, family in zip(GIVEN, FAMILY, strict=True)]
    chosen = understand({"full_name": whole, "first_name": GIVEN, "surname": FAMILY, "surname_again": FAMILY, "birth_year": [one[:4] for one in BIRTH], "dob": BIRTH})  # fmt: skip
    assert [one.name for one in chosen.fields] == ["first_name", "surname", "dob"]
    assert "surname says it already" in chosen.left_out["surname_again"]


def test_what_is_put_together_from_other_columns_is_not_compared() -> None:
    columns = {
        "first_and_surname": [f"{given} {family}" for given, family in zip(GIVEN, FAMILY, strict=True)],
        "full_address": [f"{number} {street} {city}" for number, street, city in zip(NUMBER, STREET, CITY, strict=True)],
        "first_name": GIVEN, "surname": FAMILY, "street": STREET, "number": NUMBER, "city": CITY,
    }  # fmt: skip
    chosen = understand(columns)
    assert [one.name for one in chosen.fields] == ["first_name", "surname", "street", "number", "city"]


def test_american_dates_are_read_as_such() -> None:
    american = [f"{one[5:7]}/{one[8:]}/{one[:4]}" for one in BIRTH if len(one) == 10]
    assert not understand({"dob": american}).fields[0].day_first


def test_one_slip_does_not_turn_all_dates_around() -> None:
    european = [f"{one[8:]}/{one[5:7]}/{one[:4]}" for one in BIRTH if len(one) == 10]
    assert understand({"dob": [*european, "01/31/1980"]}).fields[0].day_first


def test_a_second_date_of_unknown_meaning_is_not_one_of_birth() -> None:
    assert kinds({"age": ["31", "44", "58"] * 30, "x7": BIRTH}) == {"age": Kind.YEAR}


def test_who_gives_the_e_mail_address_its_name_is_called_so() -> None:
    names = [f"{given} {family}" for given, family in zip(GIVEN, FAMILY, strict=True)]
    columns = {"x1": names, "x2": [*names[7:], *names[:7]], "e": EMAIL}
    assert kinds(columns) == {"x1": Kind.NAME, "x2": Kind.TEXT, "e": Kind.EMAIL}


def test_a_full_name_stays_where_its_parts_are_mostly_missing() -> None:
    names = [f"{given} {family}" for given, family in zip(GIVEN, FAMILY, strict=True)]
    some = [value if place % 3 == 0 else "" for place, value in enumerate(FAMILY)]
    assert kinds({"full_name": names, "first_name": some, "surname": some}) == {"full_name": Kind.NAME}


def test_a_map_overrules() -> None:
    columns = {"a": GIVEN, "b": FAMILY, "c": PHONE, "d": PHONE[::-1]}
    assert kinds(columns, {"given": "a", "Family Name": "b", "phone": "c,d"}) == {
        "a": Kind.GIVEN, "b": Kind.FAMILY, "c": Kind.PHONE, "d": Kind.PHONE,
    }  # fmt: skip
    assert "b" not in kinds(columns, {"ignore": "b"})


@pytest.mark.parametrize(("mapped", "words"), [({"famly": "b"}, "no kind of field 'famly'"), ({"family": "z"}, "no column 'z'")])  # fmt: skip
def test_a_wrong_map_is_refused_in_words(mapped: dict[str, str], words: str) -> None:
    with pytest.raises(BadMap, match=words):
        understand({"b": FAMILY}, mapped)


@pytest.mark.parametrize(
    ("header", "values"),
    [
        ("spent", [f"{37 * n % 90}.{n % 90:02}" for n in range(180)]),
        ("registr_dt", [f"{1960 + n % 60}-03-{n % 28 + 1:02}" for n in range(90)]),
        ("turnover", [str(1000 + 37 * n) for n in range(90)]),
        ("since", [f"20{n % 9 + 10}-03-{n % 28 + 1:02}" for n in range(90)]),
    ],
)
def test_numbers_and_days_of_unknown_meaning_are_not_compared(header: str, values: list[str]) -> None:
    chosen = understand({header: values})
    assert not chosen.fields
    assert header in chosen.left_out


@pytest.mark.parametrize("values", [[], [""], ["", ""], ["x"], ["x"] * 50])
def test_columns_that_say_nothing_are_no_fault(values: list[str]) -> None:
    assert understand({"anything": values, "": values}).left_out is not None


@pytest.mark.parametrize(("word", "kind"), [("surname", Kind.FAMILY), ("first_name", Kind.GIVEN), ("ssn", Kind.IDENTIFIER), ("Nachname", Kind.FAMILY)])  # fmt: skip
def test_a_map_may_say_kinds_as_columns_are_called(word: str, kind: Kind) -> None:
    assert kinds({"a": FAMILY}, {word: "a"}) == {"a": kind}


def test_an_id_in_which_no_two_records_agree_is_the_number_of_the_record() -> None:
    numbers = [f"rec-{n}" for n in range(len(FAMILY))]
    assert kinds({"a": FAMILY, "b": numbers}, {"family": "a", "id": "b"}) == {"a": Kind.FAMILY}
    assert kinds({"a": FAMILY, "b": [*numbers[1:], numbers[1]]}, {"family": "a", "id": "b"})["b"] is Kind.IDENTIFIER
