"""What becomes of what was said of a contact when nothing new is: a rule is another, a field moves, a field is dropped. Pure."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from services.contacts.domain.known import UNKNOWN, Known
from services.contacts.domain.ruling import Rules
from services.contacts.domain.standing import Standing
from services.contacts.domain.survivorship import NO_RULES, as_said
from shared.contracts.contacts import Contact


def judged_again(known: Known, rules: Rules) -> Known:
    """What holds by these rules of what was said; to be `settled`. Where nothing else was said nothing can be different."""
    known = as_said(known)
    standing, contact = Standing(known, rules), known.contact
    for place in known.also:
        contact = _with(contact, place, standing.again(place, _value(contact, place)))
    return _standing(known, contact, standing)


def moved(known: Known, name: str, source: str, to: str, rules: Rules = NO_RULES) -> Known:
    """With all that was said of an attribute moved between `attributes` and `sensitive`."""
    standing, contact = Standing(known, rules), known.contact
    old, new = f"{source}.{name}", f"{to}.{name}"
    value = standing.move(old, _value(contact, old), new, _value(contact, new))
    return _standing(known, _with(_with(contact, old, None), new, value), standing)


def cleared(known: Known, place: str, at: datetime) -> Known:
    """With a field removed, whoever has said something of it. Nothing that was said before that brings it back."""
    standing = Standing(known, NO_RULES)
    standing.forget(place)
    standing.hear(place, None, at, UNKNOWN, None)
    return _standing(known, _with(known.contact, place, None), standing)


def _standing(known: Known, contact: Contact, standing: Standing) -> Known:
    return replace(known, contact=contact, said=standing.said, tellers=standing.tellers, also=standing.also)


def _value(contact: Contact, place: str) -> Any:
    name, _, code = place.partition(".")
    return getattr(contact, name).get(code) if code else getattr(contact, name)


def _with(contact: Contact, place: str, value: Any) -> Contact:
    name, _, code = place.partition(".")
    if code:
        entries = {**getattr(contact, name), code: value}
        value = {code: one for code, one in sorted(entries.items()) if one is not None}
    return contact.model_copy(update={name: value})
