"""Numbers that authorities give organisations: VAT, company registers, LEI. Checked by checksum, never by asking."""

import re
from functools import lru_cache
from typing import Any

from stdnum import get_cc_module, lei
from stdnum.exceptions import InvalidChecksum, ValidationError

from services.contacts.domain.values.value import Value

MAX_TYPED = 64
"""No number of any authority comes near it."""
KEPT_IN_MEMORY = 5_000
SCHEMES = {
    "vat": "vat",
    "vat-number": "vat",
    "vat-id": "vat",
    "tax-id": "vat",
    "company-number": "company",
    "lei": "lei",
}
"""Schemes of identifiers, and codes of attributes, that hold such numbers."""
# Numbers of the registers of companies, by what python-stdnum calls them.
REGISTERS = {
    "AT": "businessid", "AU": "acn", "BE": "vat", "BR": "cnpj", "CH": "uid", "CN": "uscc", "CZ": "dic",
    "DE": "handelsregisternummer", "DK": "cvr", "EE": "registrikood", "ES": "cif", "FI": "ytunnus", "FR": "siren",
    "IL": "hp", "IT": "iva", "JP": "cn", "NO": "orgnr", "PL": "regon", "PT": "nif", "RO": "cui", "RU": "inn",
    "SE": "orgnr", "TW": "ubn", "US": "ein",
}  # fmt: skip
PREFIX = re.compile(r"^[A-Z]{2}")


@lru_cache(KEPT_IN_MEMORY)
def understand(kind: str, typed: str, country: str | None = None) -> Value:
    """A number of a kind (`vat`, `company`, `lei`) without its separators, a VAT number with its country before it."""
    text = typed.strip().upper()
    if not text:
        return Value(typed, None, "invalid", "empty")
    if len(text) > MAX_TYPED:
        return Value(typed, None, "invalid", "too-long")
    match kind:
        case "lei":
            return _checked(typed, text, lei, None)
        case "vat":
            return _vat(typed, text, country)
        case _:
            rule = get_cc_module(country.lower(), REGISTERS[country]) if country in REGISTERS else None
            return _checked(typed, text, rule, country)


def _vat(typed: str, text: str, country: str | None) -> Value:
    said = "GR" if text.startswith("EL") else text[:2] if PREFIX.match(text) else None
    of = said if said and get_cc_module(said.lower(), "vat") else country
    rule: Any = get_cc_module(of.lower(), "vat") if of else None
    value = _checked(typed, text, rule, of)
    if value.understood is None or of is None or value.verdict == "plausible":
        return value
    # The VAT Directive (2006/112/EC, article 215) lets Greece use EL.
    letters = "EL" if of == "GR" else of
    bare = value.understood.removeprefix(letters)
    return Value(typed, f"{letters}{bare}", value.verdict, value.reason, country=of)


def _checked(typed: str, text: str, rule: Any, country: str | None) -> Value:
    if rule is None:
        return Value(typed, re.sub(r"[\s.\-/]", "", text), "plausible", "unchecked", country=country)
    try:
        return Value(typed, str(rule.validate(text)), "valid", "ok", country=country)
    except InvalidChecksum:
        return Value(typed, None, "invalid", "checksum", country=country)
    except (ValidationError, ValueError, LookupError):
        return Value(typed, None, "invalid", "format", country=country)
