"""In which language pages speak to customers, and what they call things. Rules and texts only."""

import re
from dataclasses import fields
from string import Formatter

import pytest
from hypothesis import given, strategies as st

from services.contacts.api.page_words import ENGLISH, WORDS, Words
from services.contacts.api.preferences_page import preferences_page, question_page, refused_page
from services.contacts.api.speaking import voice
from services.contacts.domain.preferences import Choice, Preferences

CHOICES = [
    Choice("newsletter", "email", "granted", "v1"),
    Choice("ads", "any", "expired"),
    Choice("tips", "pigeon_post", "not-asked"),
]
TOLD = Preferences(CHOICES, {"garden": True}, None, ("newsletter", "sms"))


@pytest.mark.parametrize(
    ("own", "accepted", "language"),
    [
        (None, None, "en"),
        ("de", "fr", "de"),
        ("DE-at", None, "de"),
        ("sv", "fr", "fr"),
        ("sv", None, "en"),
        (None, "sv, es-MX;q=0.3, it;q=0.9", "it"),
        (None, "nl, de", "nl"),
        (None, "de;q=0, fr;q=0.1", "fr"),
        (None, "de;q=0", "en"),
        (None, "*", "en"),
        (None, "pl;q=much", "pl"),
        (None, "pl;q=nan, nl;q=0.2", "nl"),
        (None, "pl;level=1, nl;q=0.2", "nl"),
        (None, ";;,=,;q=,", "en"),
        (None, ", ".join(["sv"] * 20 + ["de"]), "en"),
    ],
)
def test_the_customers_language_counts_then_the_browsers_then_english(
    own: str | None, accepted: str | None, language: str
) -> None:
    assert voice(own, accepted, {}).language == language


@given(st.text(max_size=200) | st.from_regex(r"([a-z]{2}(-[A-Z]{2})?(;q=[0-9.]{0,4})?,? ?){0,9}", fullmatch=True))
def test_no_header_is_too_odd(header: str) -> None:
    assert voice(header, header, {}).language in WORDS


@pytest.mark.parametrize("language", WORDS)
def test_each_language_says_everything_with_the_same_gaps(language: str) -> None:
    words, english = WORDS[language], WORDS[ENGLISH]
    for field in fields(Words):
        text, other = getattr(words, field.name), getattr(english, field.name)
        if isinstance(text, str):
            assert text.strip() == text != ""
            assert gaps(text) == gaps(other), field.name
            assert not re.search(r"[<>&]", text), "it is put into pages as it is"
    assert words.channels.keys() == english.channels.keys()
    if language != ENGLISH:
        same = {field.name for field in fields(Words) if getattr(words, field.name) == getattr(english, field.name)}
        assert same <= {"no"}, same


def gaps(text: str) -> list[str | None]:
    return [name for _, name, _, _ in Formatter().parse(text) if name]


@pytest.mark.parametrize("language", WORDS)
def test_pages_are_whole_in_each_language(language: str) -> None:
    speaks = voice(language, None, {})
    for page in (
        preferences_page(TOLD, speaks, saved=True),
        question_page([("newsletter", "email", "v<1>")], speaks),
        refused_page(speaks, over=True),
    ):
        text = bytes(page.body).decode()
        assert text.startswith(f'<!doctype html><html lang="{language}">')
        assert page.headers["content-language"] == language
        assert not re.search(r"[{}]", re.sub(r"<style>.*</style>", "", text)), "a gap that nothing was put into"
        assert "v<1>" not in text


def test_things_are_called_as_the_installation_says() -> None:
    names = {
        "newsletter": {"en": "Our newsletter", "de": "Unser <Rundbrief>"},
        "garden": {"en": "gardens"},
        "pigeon_post": {"de": "Brieftaube"},
        "email": {"de": "Mail"},
    }
    german = bytes(preferences_page(TOLD, voice("de", None, names)).body).decode()
    for called in (
        "Unser &lt;Rundbrief&gt;, per Mail",
        "ads, auf allen Kanälen",
        "tips, per Brieftaube",
        "Interessiert an: gardens?",
        "Nicht mehr: Unser &lt;Rundbrief&gt;, per SMS",
    ):
        assert called in german, called
    dutch = bytes(preferences_page(TOLD, voice("nl", None, names)).body).decode()
    for called in ("Our newsletter, via e-mail", "tips, via pigeon post"):
        assert called in dutch, called
