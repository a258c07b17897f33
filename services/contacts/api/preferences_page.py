"""Pages for customers: plain, without scripts, to be used with a keyboard and read by a screen reader."""

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Mapping
from html import escape

from fastapi import Request

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
    "vary": "Accept",
}


def wants_html(request: Request) -> bool:
    """Browsers name it; programs do not."""
    return "text/html" in request.headers.get("accept", "")


def preferences_page(told: Preferences, *, saved: bool = False) -> str:
    """What stands, as a form that sends it back to the same address."""
    answers = "".join(_answer(one) for one in told.choices)
    interests = "".join(_interest(code, value) for code, value in sorted(told.interests.items()))
    language = (
        '<p><label for="language">Language (for example en or de-AT)</label> <input id="language" name="language" '
        f'maxlength="35" autocomplete="language" value="{_text(told.language or "")}"></p>'
    )
    done = '<p role="status"><strong>Saved.</strong></p>' if saved else ""
    nothing = "" if answers else "<p>You have not been asked for anything.</p>"
    return _page(
        "Your preferences",
        f"{done}{nothing}"
        f'<form method="post">{answers}{interests}{language}<p><button type="submit">Save</button></p></form>'
        f"{_out(told)}",
    )


def unsubscribed_page() -> str:
    return _page("Unsubscribed", '<p role="status">You will not get it any more.</p>')


def question_page(asked: Iterable[tuple[str, str, str | None]]) -> str:
    """Whether it was them."""
    items = "".join(
        f"<li>{_words(purpose)}, {_channel(channel)}{_wording(wording)}</li>" for purpose, channel, wording in asked
    )
    return _page(
        "Please confirm",
        f"<p>Somebody, we think you, has allowed us:</p><ul>{items}</ul>"
        "<p>If it was not you, close this page: then nothing happens.</p>"
        '<form method="post"><p><button type="submit">Yes, I confirm</button></p></form>',
    )


def confirmed_page() -> str:
    return _page("Confirmed", '<p role="status">Thank you. It is confirmed.</p>')


def _answer(one: Choice) -> str:
    name = f"consent|{_text(one.purpose)}|{_text(one.channel)}"
    about = " Your permission has ended." if one.status == "expired" else ""
    radios = "".join(
        f'<label><input type="radio" name="{name}" value="{value}"{_checked(one, value)}> {word}</label>'
        for value, word in (("granted", "Yes"), ("withdrawn", "No"))
    )
    return (
        f"<fieldset><legend>{_words(one.purpose)}, {_channel(one.channel)}</legend>"
        f"<p>May we?{about}{_wording(one.wording)}</p>{radios}</fieldset>"
    )


def _checked(one: Choice, value: str) -> str:
    stands = "granted" if one.status == "granted" else "withdrawn"
    return " checked" if value == stands and one.status != "not-asked" else ""


def _interest(code: str, value: bool) -> str:
    radios = "".join(
        f'<label><input type="radio" name="interest|{_text(code)}" value="{told}"{" checked" if meant is value else ""}> {word}</label>'
        for told, meant, word in (("true", True, "Yes"), ("false", False, "No"))
    )
    return f"<fieldset><legend>Interested in {_words(code)}?</legend>{radios}</fieldset>"


def _out(told: Preferences) -> str:
    if told.about is None:
        return ""
    purpose, channel = told.about
    return (
        '<h2>Unsubscribe</h2><form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click">'
        f'<p><button type="submit">No more {_words(purpose)}, {_channel(channel)}</button></p></form>'
    )


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head><body><main><h1>{title}</h1>{body}</main></body></html>"
    )


def _channel(channel: str) -> str:
    return "on every channel" if channel == "any" else f"by {_words(channel)}"


def _wording(wording: str | None) -> str:
    return f" (text {_text(wording)})" if wording else ""


def _words(code: str) -> str:
    return _text(code.replace("-", " ").replace("_", " "))


def _text(value: str) -> str:
    """Also quotes, as some of it stands in attributes."""
    return escape(value, quote=True)
