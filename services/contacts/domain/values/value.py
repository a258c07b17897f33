"""A value as it was typed and as it was understood, and the words for what may be wrong with it."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["valid", "plausible", "doubtful", "invalid"]
"""`valid`: keeps every rule that we can check; `plausible`: fits, but a part of it was assumed or nothing can be
checked; `doubtful`: probably not what was meant; `invalid`: of no use as it stands."""

REASONS = {
    "ok": "keeps every rule that can be checked without asking its owner",
    "empty": "nothing was typed",
    "placeholder": "a word that fills a field which nobody knew an answer for",
    "control-characters": "contains characters that no keyboard types",
    # telephone numbers
    "no-number": "is no telephone number",
    "no-country": "the country that it is of is not known",
    "country-assumed": "was typed without its country; that of the record is assumed",
    "too-short": "has fewer digits than any number of its country",
    "too-long": "is longer than it can be",
    "no-area-code": "can be dialled inside its area only",
    "unassigned": "has a possible length, but its country assigns no such number",
    "premium-rate": "whoever calls it pays extra",
    "repeated-digits": "is one digit again and again",
    # e-mail
    "not-an-address": "is no e-mail address",
    "reserved-domain": "its domain is reserved for tests and takes no mail",
    "looks-mistyped": "is one letter away from a domain that very many people use",
    "disposable": "its provider gives addresses away that last some minutes",
    "role-address": "belongs to a task and not to a person",
    # addresses
    "unknown-country": "its country is no code of ISO 3166",
    "postal-code-missing": "its country's post wants a postal code",
    "city-missing": "its country's post wants a city",
    "street-missing": "its country's post wants a street or a box",
    "region-missing": "its country's post wants a region",
    "postal-code-pattern": "no postal code of its country looks like this",
    "postal-code-elsewhere": "the postal code is of another region",
    "unknown-region": "its country has no such region",
    "tidied": "was written in another way than its country's post does; put right",
    # names
    "no-letters": "has no letter in it",
    "digits": "has a digit in it",
    "an-address": "is an e-mail or web address",
    "mixed-scripts": "mixes alphabets within a word, as those do who imitate a name",
    "single-letter": "is an initial only",
    "one-part": "given and family name cannot be told apart",
    "cased": "was typed in capitals or small letters only; case put right",
    "legal-form": "a person's name with the legal form of an organisation",
    # numbers and codes
    "unchecked": "no rule is known to check it by",
    "checksum": "its check digit does not fit the others",
    "format": "has not the form that such numbers have",
    "unknown-language": "no language of the IANA registry",
    "unknown-time-zone": "no time zone of the IANA database",
    "alias": "another name of the same; the usual one is given",
}
"""A word for every reason, as a person may read it after "this value ...". Codes only grow: reports are kept by code."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value. `understood` is its normal form, or None where it has none; `country` what it says of one (ISO 3166).

    Who said it, and when, is kept beside it (`shared.contracts.contacts.Point`), so that it is judged once for all.
    """

    typed: str
    understood: str | None
    verdict: Verdict
    reason: str
    suggestion: str | None = None
    """What was probably meant."""
    country: str | None = None

    @property
    def words(self) -> str:
        return REASONS[self.reason]
