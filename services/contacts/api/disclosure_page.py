"""The export as a page that a person can read: plain, without scripts, with headings that a screen reader can follow."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any
from urllib.parse import quote

from services.contacts.handlers.disclosing import Began, Event, Told
from shared.contracts.contacts import Contact

TITLES = {
    "contacts": "Who you are",
    "interactions": "What happened between you and us",
    "campaigns": "Campaigns",
    "scoring": "What we conclude",
    "sync": "Who was told",
}
NOTHING_RUNS = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""Also of a page that lies in a folder, where no server says so."""
STYLE = (
    "body{font:1rem/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#111;background:#fff}"
    "article{border-top:1px solid #767676;padding:.5rem 0}dl{display:grid;grid-template-columns:max-content 1fr;gap:0 1rem;margin:0}"
    "dt{font-weight:600}dd{margin:0;overflow-wrap:anywhere}"
)


class Link(str):
    """The path of a file that lies beside the page."""

    __slots__ = ()


class Page:
    """Everything that anybody has typed is escaped. `missing`: whose part is not there, or not whole, and why."""

    def __init__(self, contact: Contact, now: datetime) -> None:
        self.missing: dict[str, str] = {}
        self._contact = contact
        self._now = now
        self._section: str | None = None

    def head(self) -> bytes:
        return _head(self._contact, self._now).encode()

    def of(self, event: Event) -> bytes:
        match event:
            case Began(service):
                self._section = None
                return f'<section><h2 id="{_text(service)}">{_text(TITLES.get(service, service))}</h2>'.encode()
            case Told(name, about, items):
                # A section comes in several pieces; its heading once.
                heading = "" if name == self._section else _heading(name, about, items)
                self._section = name
                return (heading + "".join(_article(item) for item in items)).encode()
        if event.missing is None:
            return b"</section>"
        self.missing[event.service] = event.missing
        return f"{_missing(event.service, event.missing)}</section>".encode()

    def foot(self) -> bytes:
        return _foot(self.missing).encode()


def _head(contact: Contact, now: datetime) -> str:
    ids = ", ".join([contact.customer_id, *contact.absorbed])
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{NOTHING_RUNS}">'
        f"<title>What we hold on you</title><style>{STYLE}</style></head><body><header><h1>What we hold on you</h1>"
        f"<p>Made {_text(now.isoformat(timespec='seconds'))}, for the customer {_text(ids)}.</p>"
        '<p><a href="#complete">Whether this is all</a> stands at the end.</p></header><main>'
    )


def _heading(name: str, about: str, items: Sequence[Mapping[str, Any]]) -> str:
    nothing = "" if items else "<p>Nothing.</p>"
    return f"<h3>{_words(name)}</h3><p>{_text(about)}</p>{nothing}"


def _article(item: Mapping[str, Any]) -> str:
    return f"<article>{_shown(item)}</article>"


def _shown(value: Any) -> str:
    match value:
        case Mapping():
            rows = (f"<dt>{_words(name)}</dt><dd>{_shown(one)}</dd>" for name, one in value.items() if one is not None)
            return f"<dl>{''.join(rows)}</dl>"
        case list():
            return f"<ul>{''.join(f'<li>{_shown(one)}</li>' for one in value)}</ul>" if value else "none"
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case Link():
            return f'<a href="{_text(quote(value))}">{_text(value)}</a>'
    return _text(value)


def _missing(service: str, why: str) -> str:
    return (
        f'<p role="alert"><strong>This part is missing, or not whole:</strong> the service {_text(service)} could not tell '
        f"what it holds ({_text(why)}). Please ask again.</p>"
    )


def _foot(missing: Mapping[str, str]) -> str:
    whole = "This is all that we hold on you."
    if missing:
        whole = f"This is not all: {_text(', '.join(missing))} could not answer. Please ask again."
    return f'</main><footer><h2 id="complete">Is this all?</h2><p>{whole}</p></footer></body></html>'


def _words(name: object) -> str:
    return _text(str(name).replace("_", " "))


def _text(value: object) -> str:
    """Also quotes, as some of it stands in attributes."""
    return escape(str(value), quote=True)
