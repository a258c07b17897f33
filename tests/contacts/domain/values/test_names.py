"""Names: their parts, and what they are worth."""

import pytest
from hypothesis import given, strategies as st

from services.contacts.domain.values.names import organisation, person


@pytest.mark.parametrize(
    ("typed", "understood", "parts"),
    [
        ("Dr. Ludwig van der Berg", "Dr. Ludwig van der Berg", ("Dr.", "Ludwig", None, "van der", "Berg", None)),
        ("  Ann   Lee ", "Ann Lee", (None, "Ann", None, None, "Lee", None)),
        ("Lee, Ann", "Ann Lee", (None, "Ann", None, None, "Lee", None)),
        ("MARIA DE LA CRUZ", "Maria de la Cruz", (None, "Maria", None, "de la", "Cruz", None)),
        ("Dr. ANN O'NEILL", "Dr. Ann O'Neill", ("Dr.", "Ann", None, None, "O'Neill", None)),
        ("ann lee jr.", "Ann Lee Jr.", (None, "Ann", None, None, "Lee", "Jr.")),
        ("J. F. Kennedy", "J. F. Kennedy", (None, "J.", "F.", None, "Kennedy", None)),
    ],
)
def test_a_person_has_the_parts_that_a_letter_needs(typed: str, understood: str, parts: tuple[str | None, ...]) -> None:
    name = person(typed)
    assert name.understood == understood
    assert (name.title, name.given, name.middle, name.particles, name.family, name.suffix) == parts


@pytest.mark.parametrize(
    ("typed", "verdict", "reason"),
    [
        ("Ann Lee", "valid", "ok"),
        ("ANN LEE-MAYER", "plausible", "cased"),
        ("Ann", "plausible", "one-part"),
        ("张伟", "plausible", "one-part"),
        ("Ann 2", "doubtful", "digits"),
        ("J", "doubtful", "single-letter"),
        ("Müller GmbH", "doubtful", "legal-form"),
        ("ООО Ромашка", "doubtful", "legal-form"),
        ("Maria Sa", "valid", "ok"),
        ("Ann Co", "valid", "ok"),
        ("\u0410nn Lee", "doubtful", "mixed-scripts"),
        ("n/a", "invalid", "placeholder"),
        ("12-34", "invalid", "no-letters"),
        ("ann@b.de", "invalid", "an-address"),
        ("", "invalid", "empty"),
        ("\u202e\u0000", "invalid", "control-characters"),
        ("x" * 201, "invalid", "too-long"),
    ],
)
def test_a_name_is_judged(typed: str, verdict: str, reason: str) -> None:
    assert (person(typed).verdict, person(typed).reason) == (verdict, reason)


def test_the_script_of_a_name_is_said() -> None:
    assert [person(name).script for name in ("Ann Lee", "Иван Петров", "张伟", "ΑΝΝΑ")] == [
        "LATIN",
        "CYRILLIC",
        "CJK",
        "GREEK",
    ]


@pytest.mark.parametrize(
    ("typed", "name", "form"),
    [
        ("Müller & Söhne GmbH & Co. KG", "Müller & Söhne", "GmbH & Co. KG"),
        ("ACME, Inc.", "ACME", "Inc."),
        ("株式会社トヨタ", "トヨタ", "株式会社"),
        ("ООО Ромашка", "Ромашка", "ООО"),
        ("ООО", "ООО", None),
        ("Co", "Co", None),
        ("adidas", "adidas", None),
    ],
)
def test_an_organisation_has_its_legal_form_apart(typed: str, name: str, form: str | None) -> None:
    value = organisation(typed)
    assert (value.understood, value.family, value.legal_form) == (typed, name, form)


@given(st.text(max_size=210) | st.text("aB ,.'-\u0301", max_size=40))
def test_whatever_is_typed_gets_a_verdict(typed: str) -> None:
    for value in (person(typed), organisation(typed)):
        assert value.typed == typed
        assert (value.understood is None) == (value.verdict == "invalid")
