"""In which degree two values agree."""

import pytest
from hypothesis import given, strategies as st

from services.contacts.domain.matching.compare import levels
from services.contacts.domain.matching.kinds import SCALES, Kind
from services.contacts.domain.matching.values import canonical


@pytest.mark.parametrize(
    ("kind", "one", "other", "level"),
    [
        (Kind.GIVEN, "jonathan", "jonathon", 1),
        (Kind.GIVEN, "william", "bill", 2),
        (Kind.GIVEN, "j", "john", 2),
        (Kind.GIVEN, "mary ann", "mary", 2),
        (Kind.GIVEN, "robcrt", "robert allan", 2),
        (Kind.GIVEN, "Mr John", "John", 0),
        (Kind.GIVEN, "mary", "kevin", 4),
        (Kind.FAMILY, "garcia lopez", "garcia", 2),
        (Kind.FAMILY, "smith", "garcia", 4),
        (Kind.NAME, "Sir John Smith, 2nd Baronet", "John Smith", 0),
        (Kind.NAME, "john smith", "smith john", 1),
        (Kind.NAME, "john smith", "jon smith", 2),
        (Kind.NAME, "john paul smith", "john smith", 3),
        (Kind.NAME, "j smith", "john smith", 3),
        (Kind.NAME, "john smith", "mary smith", 4),
        (Kind.NAME, "john smith", "smith", 4),
        (Kind.NAME, "john smith", "ann jones", 5),
        (Kind.ORGANISATION, "Acme Bau GmbH", "Acme Bau", 1),
        (Kind.ORGANISATION, "Acme Bau GmbH", "Acme Bau AG", 4),
        (Kind.ORGANISATION, "Acme Bau GmbH", "Acme Software GmbH", 4),
        (Kind.ORGANISATION, "Acme Intl Constr. Ltd", "Acme International Construction", 2),
        (Kind.ORGANISATION, "Acme Bau Eng. GmbH", "Acme Bau Energie AG", 2),
        (Kind.ORGANISATION, "Miller & Sons Ltd", "Miller and Sons Ltd", 0),
        (Kind.ORGANISATION, "Store 12", "Store 14", 4),
        (Kind.BIRTH, "1971-06-24", "1971-06-25", 1),
        (Kind.BIRTH, "1971-04-03", "1971-03-04", 1),
        (Kind.BIRTH, "1971-06-24", "1983-06-24", 2),
        (Kind.BIRTH, "1971", "1971-06-24", 2),
        (Kind.BIRTH, "1971-01-01", "1971-06-24", 2),
        (Kind.BIRTH, "1994-12-12", "1995-01-10", 3),
        (Kind.BIRTH, "1971-06-24", "1971-11-08", 4),
        (Kind.BIRTH, "1971-06-24", "1946-11-08", 5),
        (Kind.EMAIL, "ann.lee@mail.example", "ann.lee@post.example", 1),
        (Kind.EMAIL, "ann.lee12@mail.example", "ann.lee17@mail.example", 2),
        (Kind.EMAIL, "ann.lee@mail.example", "kurt@web.test", 3),
        (Kind.PHONE, "020 7946 0958", "020 7946 0985", 1),
        (Kind.PHONE, "+45 12345678", "12345678", 1),
        (Kind.PHONE, "020 7946 0958", "0151 123 4567", 2),
        (Kind.IDENTIFIER, "1234567", "1234576", 1),
        (Kind.IDENTIFIER, "1234567", "7654321", 3),
        (Kind.STREET, "12 High Street", "14 High Street", 2),
        (Kind.NUMBER, "12", "12a", 1),
        (Kind.NUMBER, "1", "2", 2),
        (Kind.CATEGORY, "female", "fenale", 0),
        (Kind.CATEGORY, "male", "female", 1),
        (Kind.CATEGORY, "P012", "P013", 1),
        (Kind.YEAR, "1971", "1972", 1),
        (Kind.YEAR, "1971", "1935", 3),
    ],
)
def test_values_agree_in_degrees(kind: Kind, one: str, other: str, level: int) -> None:
    texts = [canonical(kind, text) for text in (one, other)]
    if texts[0] == texts[1]:
        assert level == 0
        return
    assert levels(kind, texts[:1], texts[1:]).tolist() == [level]
    assert levels(kind, texts[1:], texts[:1]).tolist() == [level], "either way round"


@given(
    kind=st.sampled_from(list(Kind)), pairs=st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12)), max_size=5)
)
def test_any_two_values_have_one_of_the_kinds_degrees(kind: Kind, pairs: list[tuple[str, str]]) -> None:
    values = [(canonical(kind, one), canonical(kind, other)) for one, other in pairs]
    present = [(one, other) for one, other in values if one and other and one != other]
    found = levels(kind, [one for one, _ in present], [other for _, other in present])
    assert all(0 <= level < len(SCALES[kind].degrees) for level in found.tolist())
