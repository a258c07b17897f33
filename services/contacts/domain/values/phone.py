"""Telephone numbers: from what people type to E.164, by the numbering plans that libphonenumber keeps."""

import re
import unicodedata
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType, ValidationResult

from services.contacts.domain.values.value import Value, Verdict

MAX_TYPED = 100
"""The longest E.164 number with extension, prefix and every separator that people use has less than half of it."""
KEPT_IN_MEMORY = 20_000
"""Numbers whose understanding is kept: the same customers are reported again and again. About 10 MB."""
IDD = re.compile(r"^\s*00\s*(?=[1-9])")
REPEATED = re.compile(r"(\d)\1{6,}$")
IMPOSSIBLE: dict[int, tuple[Verdict, str]] = {
    ValidationResult.TOO_SHORT: ("invalid", "too-short"),
    ValidationResult.TOO_LONG: ("invalid", "too-long"),
    ValidationResult.INVALID_LENGTH: ("invalid", "no-number"),
    ValidationResult.INVALID_COUNTRY_CODE: ("invalid", "no-number"),
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: ("doubtful", "no-area-code"),
}


@lru_cache(KEPT_IN_MEMORY)
def understand(typed: str, country: str | None = None, *, assumed: bool = False) -> Value:
    """A telephone number in E.164. `country` (ISO 3166) is where it would be dialled from if it does not say its own;
    `assumed`: nobody said that of this number, it is merely where the customer lives.
    """
    text = unicodedata.normalize("NFKC", typed).strip()
    if not text:
        return Value(typed, None, "invalid", "empty")
    if len(text) > MAX_TYPED:
        return Value(typed, None, "invalid", "too-long")
    region = country if country in phonenumbers.SUPPORTED_REGIONS else None
    try:
        # Without a country there is no exit code either; 00 is that of most of the world.
        number = phonenumbers.parse(text if region else IDD.sub("+", text), region)
    except NumberParseException as error:
        return _unread(typed, text, error)
    return _judged(typed, number, assumed=assumed and not _international(text))


def ending(e164: str) -> str | None:
    """The last four digits, which stand in the number however it is written without letters and from wherever it is dialled.
    None: it is no number.
    """
    try:
        return str(phonenumbers.parse(e164).national_number)[-4:]
    except NumberParseException:
        return None


def _international(text: str) -> bool:
    return text.startswith(("+", "00", "(+"))


def _unread(typed: str, text: str, error: NumberParseException) -> Value:
    digits = sum(character.isdigit() for character in text)
    if error.error_type == NumberParseException.TOO_LONG:
        return Value(typed, None, "invalid", "too-long")
    if error.error_type == NumberParseException.INVALID_COUNTRY_CODE and digits >= 5 and "+" not in text:
        return Value(typed, None, "doubtful", "no-country")
    return Value(typed, None, "invalid", "no-number")


def _judged(typed: str, number: phonenumbers.PhoneNumber, *, assumed: bool) -> Value:
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible in IMPOSSIBLE:
        verdict, reason = IMPOSSIBLE[possible]
        return Value(typed, None, verdict, reason)
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    country = phonenumbers.region_code_for_number(number)
    country = country if country and len(country) == 2 and country != "ZZ" else None
    if REPEATED.search(e164):
        return Value(typed, e164, "doubtful", "repeated-digits", country=country)
    if not phonenumbers.is_valid_number(number):
        return Value(typed, e164, "doubtful", "unassigned", country=country)
    if phonenumbers.number_type(number) == PhoneNumberType.PREMIUM_RATE:
        return Value(typed, e164, "doubtful", "premium-rate", country=country)
    if assumed:
        return Value(typed, e164, "plausible", "country-assumed", country=country)
    return Value(typed, e164, "valid", "ok", country=country)
