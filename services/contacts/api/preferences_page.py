"""Pages for customers, in their language: plain, without scripts, to be used with a keyboard and read by a screen reader."""

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Mapping
from html import escape

from fastapi import Request
from fastapi.responses import HTMLResponse

from services.contacts.api.speaking import Voice
from services.contacts.domain.preferences import Choice, Preferences

STYLE = (
    "body{font:1.1rem/1.5 sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem;color:#111;background:#fff}"
    "fieldset{border:1px solid #767676;margin:0 0 1rem;padding:.5rem 1rem}legend{font-weight:600}"
    "label{display:inline-block;margin:.25rem 1.5rem .25rem 0}button{font:inherit;padding:.5rem 1.5rem}"
)
_HASH = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS: Mapping[str, str] = {
    # Nothing is loaded from anywhere, nothing is run, and a form goes nowhere but here.
    "content-security-policy": f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex, nofollow",
    "vary": "Accept, Accept-Language",
}


def wants_html(request: Request) -> bool:
    """Browsers name it; programs do not."""
    return "text/html" in request.headers.get("accept", "")


def preferences_page(told: Preferences, voice: Voice, *, saved: bool = False) -> HTMLResponse:
    """What stands, as a form that sends it back to the same address."""
    words = voice.words
    answers = "".join(_answer(one, voice) for one in told.choices)
    interests = "".join(_interest(code, value, voice) for code, value in sorted(told.interests.items()))
    language = (
        f'<p><label for="language">{words.language}</label> <input id="language" name="language" '
        f'maxlength="35" autocomplete="language" value="{_text(told.language or "")}"></p>'
    )
    done = f'<p role="status"><strong>{words.saved}</strong></p>' if saved else ""
    nothing = "" if answers else f"<p>{words.nothing}</p>"
    return _page(
        voice,
        words.preferences,
        f"{done}{nothing}"
        f'<form method="post">{answers}{interests}{language}<p><button type="submit">{words.save}</button></p></form>'
        f"{_out(told, voice)}",
    )


def unsubscribed_page(voice: Voice) -> HTMLResponse:
    return _page(voice, voice.words.unsubscribed, f'<p role="status">{voice.words.not_any_more}</p>')


def question_page(asked: Iterable[tuple[str, str, str | None]], voice: Voice) -> HTMLResponse:
    """Whether it was them."""
    words = voice.words
    items = "".join(
        f"<li>{_place(purpose, channel, voice)}{_wording(wording, voice)}</li>" for purpose, channel, wording in asked
    )
    return _page(
        voice,
        words.please_confirm,
        f"<p>{words.somebody_allowed}</p><ul>{items}</ul><p>{words.if_not_you}</p>"
        f'<form method="post"><p><button type="submit">{words.confirm}</button></p></form>',
    )


def confirmed_page(voice: Voice) -> HTMLResponse:
    return _page(voice, voice.words.confirmed, f'<p role="status">{voice.words.thank_you}</p>')


def refused_page(voice: Voice, *, over: bool) -> HTMLResponse:
    """For whoever has a link that does nothing (any more)."""
    words = voice.words
    told = words.link_over if over else words.link_invalid
    return _page(voice, words.link_fails, f'<p role="status">{told}</p>', 410 if over else 404)


def _answer(one: Choice, voice: Voice) -> str:
    words = voice.words
    name = f"consent|{_text(one.purpose)}|{_text(one.channel)}"
    about = f" {words.ended}" if one.status == "expired" else ""
    radios = "".join(
        f'<label><input type="radio" name="{name}" value="{value}"{_checked(one, value)}> {word}</label>'
        for value, word in (("granted", words.yes), ("withdrawn", words.no))
    )
    return (
        f"<fieldset><legend>{_place(one.purpose, one.channel, voice)}</legend>"
        f"<p>{words.may_we}{about}{_wording(one.wording, voice)}</p>{radios}</fieldset>"
    )


def _checked(one: Choice, value: str) -> str:
    stands = "granted" if one.status == "granted" else "withdrawn"
    return " checked" if value == stands and one.status != "not-asked" else ""


def _interest(code: str, value: bool, voice: Voice) -> str:
    words = voice.words
    radios = "".join(
        f'<label><input type="radio" name="interest|{_text(code)}" value="{told}"{" checked" if meant is value else ""}> {word}</label>'
        for told, meant, word in (("true", True, words.yes), ("false", False, words.no))
    )
    question = words.interested.format(what=_text(voice.name(code)))
    return f"<fieldset><legend>{question}</legend>{radios}</fieldset>"


def _out(told: Preferences, voice: Voice) -> str:
    if told.about is None:
        return ""
    what = voice.words.no_more.format(what=_place(*told.about, voice))
    return (
        f'<h2>{voice.words.unsubscribe}</h2><form method="post">'
        '<input type="hidden" name="List-Unsubscribe" value="One-Click">'
        f'<p><button type="submit">{what}</button></p></form>'
    )


def _page(voice: Voice, title: str, body: str, status: int = 200) -> HTMLResponse:
    page = (
        f'<!doctype html><html lang="{voice.language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head><body><main><h1>{title}</h1>{body}</main></body></html>"
    )
    return HTMLResponse(page, status, headers={**HEADERS, "content-language": voice.language})


def _place(purpose: str, channel: str, voice: Voice) -> str:
    named = _text(voice.name(purpose))
    if channel == "any":
        return voice.words.on_every_channel.format(purpose=named)
    return voice.words.on_channel.format(purpose=named, channel=_text(voice.channel(channel)))


def _wording(wording: str | None, voice: Voice) -> str:
    return f" ({voice.words.text.format(wording=_text(wording))})" if wording else ""


def _text(value: str) -> str:
    """Also quotes, as some of it stands in attributes."""
    return escape(value, quote=True)
