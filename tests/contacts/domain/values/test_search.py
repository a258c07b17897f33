"""What names are found by, and how well what was typed fits them."""

import pytest
from hypothesis import given, strategies as st

from services.contacts.domain.values.search import Fit, Word, place, ranges, wanted
from services.contacts.domain.values.slips import Slips
from services.contacts.domain.values.words import MAX_TOKENS, keys, sound, tokens


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


def fit(typed: str, name: str) -> Fit | None:
    held, wanted = set(keys(name)), ranges(typed)
    found = place(wanted, held)
    if found:
        return wanted[found.range].fit
    return Fit.SLIP if Slips(typed).place(held) else None


@pytest.mark.parametrize(
    ("typed", "fits"),
    [
        ("Jürgen", Fit.WHOLE),
        ("Juergen Müller", Fit.WHOLE),
        ("MULLER", Fit.WHOLE),
        ("jurg", Fit.BEGUN),
        ("mueller jur", Fit.BEGUN),
        ("jur mul", Fit.BEGUN),
        ("j muller", Fit.BEGUN),
        ("muller mul", Fit.WHOLE),
        ("Jürgn", Fit.SOUND),
        ("Muler", Fit.SOUND),
        ("j muler", Fit.SOUND),
        ("Mulelr", Fit.SOUND),
        ("urgen", Fit.SLIP),
        ("jürgwn müller", Fit.SLIP),
        ("mulleer jürgwn", None),
        ("j mull", None),
        ("", None),
        ("hans", None),
        ("jurgen hans", None),
        ("rge", None),
        ("urgwn", None),
    ],
)
def test_how_well_what_was_typed_fits_a_record(typed: str, fits: Fit | None) -> None:
    assert fit(typed, "Jürgen Müller") is fits


@pytest.mark.parametrize("typed", ["jur mull", "jürgen", "juer", "juerg muel"])
def test_a_record_with_its_letters_spelt_out_is_found_too(typed: str) -> None:
    assert fit(typed, "Juergen Mueller") in (Fit.WHOLE, Fit.BEGUN)


def test_a_word_that_begins_another_says_nothing_more() -> None:
    assert [[word.text for word in words] for words in wanted("smi Smith ann smit")] == [["smith", "ann"]]


def test_a_slip_is_a_letter_more_less_another_or_two_changed() -> None:
    slips = set(Word("maria").slips)
    assert {"mariaa", "mara", "malia", "amria"} <= slips
    assert not {"maria", "marla s", "aria1", "ria"} & slips
    assert Word("ann").slips == Word("a4711").slips == []


@given(st.text(max_size=30))
def test_a_name_finds_itself(name: str) -> None:
    words = tokens(name)
    assert not words or len(words) == MAX_TOKENS or fit(name[:40], name) is not None


@given(st.text(max_size=1000))
def test_there_is_an_end_to_the_keys_of_a_text(text: str) -> None:
    assert len(keys(text)) <= 2 * MAX_TOKENS + 2 * MAX_TOKENS * (MAX_TOKENS - 1)
