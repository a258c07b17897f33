"""Names of people and organisations: their parts, their case, and those that are none."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from cleanco import basename
from nameparser import HumanName

from services.contacts.domain.values.value import REASONS, Verdict

KEPT_IN_MEMORY = 5_000
MAX_TYPED = 200
"""As `shared.contracts.fact.Name`."""
_PLACEHOLDERS = """
- -- ? . x xx xxx n/a na nn n.n. none null nil nobody noname test tester unknown unbekannt inconnu anonymous asdf
customer kunde guest gast
"""
PLACEHOLDERS = frozenset(_PLACEHOLDERS.split())
WEB = re.compile(r"@|^https?://|^www\.", re.IGNORECASE)
# Legal forms in other scripts than Latin, and some that cleanco does not know.
_UNSPACED = "株式会社 有限会社 合同会社 有限公司 股份有限公司 주식회사"
_SPACED = "ООО ПАО ЗАО АО ТОО ТОВ ΑΕ ΕΠΕ בע״מ"
FORMS = (*_UNSPACED.split(), *(f"{form} " for form in _SPACED.split()), *(f" {form}" for form in _SPACED.split()))
_UNMISTAKABLE = "corp eirl gmbh inc kft limited llc ltd ohg plc srl uab zrt"
UNMISTAKABLE = frozenset(_UNMISTAKABLE.split())
"""Legal forms that are nobody's family name, as Sa, Co, Spa and Teo are."""
CASELESS = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "ARABIC", "HEBREW", "THAI", "DEVANAGARI")


@dataclass(frozen=True, slots=True)
class NameValue:
    """A name as typed and as understood. `understood` is the name as one writes it on a letter."""

    typed: str
    understood: str | None
    verdict: Verdict
    reason: str
    title: str | None = None
    given: str | None = None
    middle: str | None = None
    particles: str | None = None
    """What stands before a family name and does not sort it: `van der`."""
    family: str | None = None
    suffix: str | None = None
    legal_form: str | None = None
    """Of an organisation: `GmbH & Co. KG`."""
    script: str | None = None
    """`LATIN`, `CYRILLIC`, `CJK`: what most letters are of, as Unicode names them."""

    @property
    def words(self) -> str:
        return REASONS[self.reason]


def cleaned(typed: str) -> str:
    """Composed letters, one space between words, nothing invisible."""
    text = unicodedata.normalize("NFC", typed)
    return " ".join("".join(c if unicodedata.category(c)[0] != "C" or c.isspace() else "" for c in text).split())


@lru_cache(KEPT_IN_MEMORY)
def person(typed: str) -> NameValue:
    """A person's name and its parts. Languages that write the family name first are understood as far as a comma, or a
    script that leaves no space, says so; else the first word is the given name.
    """
    text = cleaned(typed)
    if bad := _unusable(typed, text):
        return bad
    script = _script(text)
    name = HumanName(text)
    cased = script not in CASELESS and _one_case(name.first + name.middle + name.last)
    if cased:
        name.capitalize(force=True)
    understood = _written(name) or text
    verdict, reason = _verdict(text, name, script, cased=cased)
    return NameValue(
        typed,
        understood,
        verdict,
        reason,
        title=name.title or None,
        given=name.first or None,
        middle=name.middle or None,
        particles=name.last_prefixes or None,
        family=name.last_base or None,
        suffix=name.suffix or None,
        script=script,
    )


@lru_cache(KEPT_IN_MEMORY)
def organisation(typed: str) -> NameValue:
    """An organisation's name with its legal form apart. Its case is its own: `IBM` and `adidas` stay."""
    text = cleaned(typed)
    if bad := _unusable(typed, text):
        return bad
    form = legal_form(text)
    return NameValue(typed, text, *_looks(text), family=_without(text, form), legal_form=form, script=_script(text))


@lru_cache(KEPT_IN_MEMORY)
def legal_form(text: str) -> str | None:
    """`GmbH` of `Müller GmbH`, as it is written there."""
    for form in FORMS:
        if text != form and (text.startswith(form) or text.endswith(form)):
            return form.strip()
    base = basename(text)
    # A form alone, such as a family called Co, is a name.
    return text[len(base) :].strip(" ,") or None if base and text.startswith(base) else None


def _is_firm(text: str) -> bool:
    form = legal_form(text)
    words = form.casefold().replace(".", "").split() if form else []
    return any(word in UNMISTAKABLE or not word.isascii() for word in words)


def _without(text: str, form: str | None) -> str:
    bare = text.removesuffix(form).removeprefix(form) if form else text
    return bare.strip(" ,") or text


def _unusable(typed: str, text: str) -> NameValue | None:
    if not text:
        return NameValue(typed, None, "invalid", "control-characters" if typed.strip() else "empty")
    if len(text) > MAX_TYPED:
        return NameValue(typed, None, "invalid", "too-long")
    if WEB.search(text):
        return NameValue(typed, None, "invalid", "an-address")
    if text.casefold() in PLACEHOLDERS:
        return NameValue(typed, None, "invalid", "placeholder")
    if not any(character.isalpha() for character in text):
        return NameValue(typed, None, "invalid", "no-letters")
    return None


def _looks(text: str) -> tuple[Verdict, str]:
    if any(len(_scripts(word)) > 1 and "LATIN" in _scripts(word) for word in text.split()):
        return "doubtful", "mixed-scripts"
    return "valid", "ok"


def _verdict(text: str, name: HumanName, script: str | None, *, cased: bool) -> tuple[Verdict, str]:
    verdict, reason = _looks(text)
    if verdict == "doubtful":
        return verdict, reason
    if any(character.isdigit() for character in text):
        return "doubtful", "digits"
    if sum(character.isalpha() for character in text) == 1 and script not in CASELESS:
        return "doubtful", "single-letter"
    if _is_firm(text):
        return "doubtful", "legal-form"
    if not (name.first and name.last):
        return "plausible", "one-part"
    return ("plausible", "cased") if cased else ("valid", "ok")


def _written(name: HumanName) -> str:
    return " ".join(part for part in (name.title, name.first, name.middle, name.last, name.suffix) if part)


def _one_case(text: str) -> bool:
    """Small letters only, or SHOUTED: seven letters in ten, so that `MacDONALD` is and `J. F. Kennedy` is not."""
    letters = [character for character in text if character.isalpha()]
    return len(letters) > 3 and (text.islower() or sum(c.isupper() for c in letters) >= 0.7 * len(letters))


def _scripts(word: str) -> set[str]:
    """The scripts of a word's letters: the first word of their Unicode names."""
    return {unicodedata.name(c, "?").split(" ")[0].split("-")[0] for c in word if c.isalpha()}


def _script(text: str) -> str | None:
    counts: dict[str, int] = {}
    for character in text:
        for script in _scripts(character):
            counts[script] = counts.get(script, 0) + 1
    return max(sorted(counts), key=lambda script: counts[script], default=None)
