"""E-mail addresses: syntax by the RFCs, and doubts about those that will not reach a person. Never asks the network."""

import unicodedata
from functools import lru_cache

from disposable_email_domains import blocklist
from email_validator import EmailNotValidError, EmailSyntaxError, ValidatedEmail, validate_email

from services.contacts.domain.values.value import Value

MAX_TYPED = 320
"""64 letters, @, and 255 letters (RFC 3696, erratum 1690 lowers what can be delivered to 254)."""
KEPT_IN_MEMORY = 20_000
# Mailboxes that RFC 2142 reserves for tasks, and those that shops and offices have beside them.
_ROLES = """
abuse admin billing bookings careers contact enquiries ftp help hello helpdesk hostmaster hr info jobs kontakt mail
marketing news newsletter noc no-reply noreply office orders postmaster press privacy root sales security service shop
support team trouble usenet uucp webmaster www
"""
# Providers that very many private people use, in the countries that most of our examples are of.
_PROVIDERS = """
gmail.com googlemail.com yahoo.com yahoo.de yahoo.fr yahoo.co.uk outlook.com hotmail.com hotmail.de hotmail.fr
hotmail.co.uk icloud.com live.com aol.com proton.me protonmail.com comcast.net web.de gmx.de gmx.net gmx.at gmx.ch
t-online.de freenet.de orange.fr wanadoo.fr laposte.net libero.it virgilio.it seznam.cz yandex.ru mail.ru qq.com
163.com naver.com rediffmail.com
"""
# Real domains that stand one letter from those.
_NEIGHBOURS = "mail.com email.com ymail.com gmx.com gmx.us gmx.fr gmx.es live.de live.fr aol.de aol.fr me.com"
ROLES = frozenset(_ROLES.split())
PROVIDERS = tuple(_PROVIDERS.split())
NEIGHBOURS = frozenset(_NEIGHBOURS.split())
SHORTEST_PROVIDER = 7
"""Of `qq.com` or `web.de` too many real domains are one letter away."""


@lru_cache(KEPT_IN_MEMORY)
def understand(typed: str) -> Value:
    """An address in lower case with its domain as people read it: `Jo@XN--MNCHEN-3YA.de` is `jo@münchen.de`."""
    text = unicodedata.normalize("NFKC", typed).strip()
    if not text:
        return Value(typed, None, "invalid", "empty")
    if len(text) > MAX_TYPED:
        return Value(typed, None, "invalid", "too-long")
    try:
        read = validate_email(text.removeprefix("mailto:"), check_deliverability=False)
    except EmailNotValidError as error:
        reserved = isinstance(error, EmailSyntaxError) and "special-use" in str(error)
        return Value(typed, None, "invalid", "reserved-domain" if reserved else "not-an-address")
    return _judged(typed, read)


def _judged(typed: str, read: ValidatedEmail) -> Value:
    # RFC 5321 lets a mailbox tell Ann from ann. No provider of any size does, and neither do our identifiers.
    address, domain = read.normalized.lower(), read.domain.lower()
    local = read.local_part.lower()
    if meant := mistyped(domain):
        return Value(typed, address, "doubtful", "looks-mistyped", suggestion=f"{local}@{meant}")
    if any(parent in blocklist for parent in _parents(read.ascii_domain.lower())):
        return Value(typed, address, "doubtful", "disposable")
    if local.split("+")[0] in ROLES:
        return Value(typed, address, "plausible", "role-address")
    return Value(typed, address, "valid", "ok")


def _parents(domain: str) -> list[str]:
    """A domain and those that it lies in, without the top: disposable providers give subdomains away too."""
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(len(labels) - 1)]


@lru_cache(KEPT_IN_MEMORY)
def mistyped(domain: str) -> str | None:
    """The provider whose domain is one typing error away, if the domain is none itself."""
    if domain in PROVIDERS or domain in NEIGHBOURS:
        return None
    long = (provider for provider in PROVIDERS if len(provider) >= SHORTEST_PROVIDER)
    return next((provider for provider in long if one_error_apart(domain, provider)), None)


def one_error_apart(one: str, other: str) -> bool:
    """Whether one letter too many, too few or wrong, or two neighbours swapped, makes one text the other.

    Distance 1 of F. J. Damerau, "A technique for computer detection and correction of spelling errors", CACM 7 (1964):
    four in five misspellings are one such error.
    """
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    start = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    rest, others = one[start:], other[start:]
    if len(rest) != len(others):
        return rest[1:] == others or rest == others[1:]
    return rest[1:] == others[1:] or (rest[:2] == others[1::-1] and rest[2:] == others[2:])
