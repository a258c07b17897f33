"""One spelling of what people type."""

import pytest

from services.contacts.domain.matching.kinds import Kind
from services.contacts.domain.matching.text import folded, organisation, sound
from services.contacts.domain.matching.values import canonical
from services.contacts.domain.values.words import tokens


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("  MÜLLER-Łukasz, O'Neil ", "muller lukasz oneil"),
        ("Straße", "strasse"),
        ("Иванов", "ivanov"),
        ("Παπαδοπουλος", "papadopoylos"),
        ("N/A", ""),
        ("unknown", ""),
        (" - ", ""),
        ("李小龍", "李小龍"),
        ("\u0000\ud800", ""),
    ],
)
def test_text_is_folded(text: str, plain: str) -> None:
    assert folded(text) == plain


def test_names_that_search_takes_for_the_same_stay_apart() -> None:
    """Why there are two foldings: of people whose names only sound alike neither may be taken for the other."""
    assert tokens("王伟") == tokens("汪维")
    assert folded("王伟") != folded("汪维")
    assert tokens("N/A")
    assert not folded("N/A")


def test_legal_forms_are_told_from_names() -> None:
    assert organisation("Müller & Söhne GmbH & Co. KG") == ("muller sohne", "gmbh co kg")
    assert organisation("Acme S.A.R.L.") == ("acme", "sarl")
    assert organisation("AG") == ("ag", "")


def test_misspelt_names_sound_alike_and_other_names_do_not() -> None:
    assert sound("meyer") == sound("maier") == sound("mayr")
    assert sound("philip") == sound("filip")
    assert sound("smith") != sound("jones")
    assert sound("anna").startswith("a")
    assert not sound("")


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Kind.BIRTH, "1971-06-24", "19710624"),
        (Kind.BIRTH, "24.6.1971", "19710624"),
        (Kind.BIRTH, "24/06/71", "19710624"),
        (Kind.BIRTH, "24 Jun 1971", "19710624"),
        (Kind.BIRTH, "June 24, 1971", "19710624"),
        (Kind.BIRTH, "1971-06-24T00:00:00", "19710624"),
        (Kind.BIRTH, "19710624", "19710624"),
        (Kind.BIRTH, "19710624.0", "19710624"),
        (Kind.BIRTH, "1971", "19710000"),
        (Kind.BIRTH, "soon", ""),
        (Kind.BIRTH, "0000-00-00", ""),
        (Kind.EMAIL, " Ann.Lee+News@Mail.Example ", "ann.lee@mail.example"),
        (Kind.EMAIL, "none", ""),
        (Kind.PHONE, "+44 (0)20 7946 0958", "079460958".lstrip("0")),
        (Kind.PHONE, "000000000", ""),
        (Kind.PHONE, "12", ""),
        (Kind.IDENTIFIER, " AB-12 34.5", "ab12345"),
        (Kind.IDENTIFIER, "9999999", ""),
        (Kind.POSTCODE, "4223.0", "4223"),
        (Kind.STREET, "Hauptstraße", "haupt street"),
        (Kind.STREET, "12 High St.", "12 high street"),
        (Kind.ORGANISATION, "ACME, Inc.", "acme|inc"),
        (Kind.NUMBER, "012 a", "12a"),
    ],
)
def test_values_are_canonical(kind: Kind, text: str, value: str) -> None:
    assert canonical(kind, text, this_year=2026) == value


def test_two_figures_are_a_year_of_this_century_only_while_they_are_past() -> None:
    said = [canonical(Kind.BIRTH, "1.2.26", this_year=year) for year in (2025, 2026, 1999, None)]
    assert said == ["19260201", "20260201", "19260201", ""]


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("text", ["", " ", "\0", "x" * 100_000, "٣٤", "²", "🙂", "-", "@", "''", "|", "0"])
def test_no_text_is_too_strange(kind: Kind, text: str) -> None:
    assert len(canonical(kind, text)) <= 1_000
