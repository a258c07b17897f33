"""Names, and what they are found by."""

import pytest
from hypothesis import given, strategies as st

from services.contacts.domain.values.names import organisation, person
from services.contacts.domain.values.search import MAX_TOKENS, keys, matches, sound, tokens


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


def test_tokens_know_no_case_accent_or_script() -> None:
    assert tokens("Müller-ŁÓDŹ O'Neill") == ["muller", "lodz", "oneill", "mueller"]
    assert tokens("Иван") == ["ivan"]
    assert tokens("") == tokens("-- ...") == []
    assert len(tokens(" ".join(f"w{n}" for n in range(100)))) == MAX_TOKENS


@pytest.mark.parametrize(
    "alike",
    [
        ("schmidt", "schmitt", "shmid"),
        ("meyer", "maier", "mayr"),
        ("mueller", "miller"),
        ("filip", "philipp"),
        ("kathrin", "catrin"),
    ],
)
def test_names_that_sound_alike_have_one_key(alike: tuple[str, ...]) -> None:
    assert len({sound(word) for word in alike}) == 1


@pytest.mark.parametrize("typed", ["jurg", "Jürgen", "Juergen Müller", "MULLER", "mueller jur", "Jürgn", "Muler"])
def test_a_record_is_found_as_a_person_types(typed: str) -> None:
    assert matches(typed, set(keys("Jürgen Müller")))


@pytest.mark.parametrize("typed", ["jur mull", "jürgen", "juer"])
def test_a_record_with_its_letters_spelt_out_is_found_too(typed: str) -> None:
    assert matches(typed, set(keys("Juergen Mueller")))


@pytest.mark.parametrize("typed", ["", "hans", "jurgen hans", "urgen"])
def test_another_record_is_not_found(typed: str) -> None:
    assert not matches(typed, set(keys("Jürgen Müller")))


@given(st.text(max_size=30))
def test_a_name_finds_itself(name: str) -> None:
    words = tokens(name)
    assert not words or len(words) == MAX_TOKENS or matches(name[:40], set(keys(name)))
