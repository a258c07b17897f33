"""Codes that the world agrees on: countries (ISO 3166), languages (BCP 47), time zones (IANA)."""

from functools import cache, lru_cache
from zoneinfo import available_timezones

import iso3166
import langcodes

from services.contacts.domain.values.value import Value

KEPT_IN_MEMORY = 2_000
# Plates, old habits, and codes that ISO 3166 reserves because people use them.
COMMON = {"UK": "GB", "EL": "GR", "D": "DE", "A": "AT", "F": "FR", "I": "IT", "E": "ES", "USA": "US", "U.S.A.": "US"}


@lru_cache(KEPT_IN_MEMORY)
def country(typed: str) -> Value:
    """A country's two letters, from two or three of them, its number or its English name."""
    text = " ".join(typed.split())
    if not text:
        return Value(typed, None, "invalid", "empty")
    upper = text.upper()
    if upper in iso3166.countries_by_alpha2:
        return Value(typed, upper, "valid", "ok", country=upper)
    found = COMMON.get(upper)
    if found is None and (known := iso3166.countries.get(upper, None)):
        found = known.alpha2
    if found is None:
        return Value(typed, None, "invalid", "unknown-country")
    return Value(typed, found, "valid", "alias", country=found)


@lru_cache(KEPT_IN_MEMORY)
def language(typed: str) -> Value:
    """A language tag in its usual form: `iw` is `he`, `eng_us` is `en-US`."""
    text = typed.strip()
    if not text:
        return Value(typed, None, "invalid", "empty")
    try:
        tag = langcodes.standardize_tag(text)
        known = langcodes.tag_is_valid(text)
    except (ValueError, LookupError):
        known = False
    if not known or tag == "und":
        return Value(typed, None, "invalid", "unknown-language")
    return Value(typed, tag, "valid", "ok" if tag == text else "alias")


@cache
def _zones() -> dict[str, str]:
    return {zone.casefold(): zone for zone in available_timezones()}


@lru_cache(KEPT_IN_MEMORY)
def time_zone(typed: str) -> Value:
    """A time zone of the IANA database, whatever its case and whether the space in it is written."""
    text = "_".join(typed.split())
    if not text:
        return Value(typed, None, "invalid", "empty")
    zone = _zones().get(text.casefold())
    if zone is None:
        return Value(typed, None, "invalid", "unknown-time-zone")
    return Value(typed, zone, "valid", "ok" if zone == typed else "alias")
