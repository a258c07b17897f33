"""Text as people type it, brought to one spelling: case, accents, scripts, punctuation, legal forms, and how names sound.

Search folds by itself (`values/words.py`), on purpose: it may take too much for the same, who decides who is who may not. Names
that it spells alike in Latin letters (王伟 and 汪维 are both `wangwei`) stay apart here, and what says nothing is empty.
"""

import re
import unicodedata
from functools import lru_cache

# What stands for "we do not know" in exports; compared as folded text.
NOTHING = """
na,n a,nan,none,null,nil,unknown,unk,unbekannt,inconnu,desconocido,not available,not known,not given,not applicable,no name,no email,
tbd,tba,tbc,xx,xxx,xxxx,keine,missing,undefined,anonymous,test,testing,dummy,noname,nobody,not provided,not specified,unspecified,
no data,no phone,no mobile,no address,empty,asdf
"""
PLACEHOLDERS = frozenset(NOTHING.replace("\n", "").split(","))

# Letters that have no decomposition in Unicode.
LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "\u0131": "i", "ħ": "h"}
)
# Cyrillic and Greek to Latin, close to ISO 9 and ELOT 743 but without diacritics, as passports write it.
CYRILLIC = "абвгдезийклмнопрстуфхцчшщъыьэюяёжіїєґўјљњћђџ"
CYRILLIC_AS = "a b v g d e z i i k l m n o p r s t u f kh ts ch sh shch  y  e yu ya e zh i i e g u j lj nj c dj dz"
GREEK = "αβγδεζηθικλμνξοπρσςτυφχψω"
GREEK_AS = "a v g d e z i th i k l m n x o p r s s t y f ch ps o"
SCRIPTS = str.maketrans(
    dict(zip(CYRILLIC, CYRILLIC_AS.split(" "), strict=True)) | dict(zip(GREEK, GREEK_AS.split(" "), strict=True))
)

# What stands before a name and is none of it, or behind it. Those that are given names too (Major) are left out.
TITLE = """
mr mrs ms miss mister madam madame mme mlle monsieur dr drs prof professor sir dame lord lady rev revd reverend captain capt colonel
herr frau senor senora sra dipl
"""
TITLES = frozenset(TITLE.split())
HONOURS = re.compile(r"(?: (?:esq|esquire|obe|mbe|cbe|kbe|phd|md|mbbs|(?:\d+(?:st|nd|rd|th)|first|second|third) "
                     r"(?:baronet|baron|earl|duke|viscount|marquess|marquis)))+$")  # fmt: skip

LEGAL = """
ag ab as asa aps bv bvba cie co company corp corporation cv dba eg eirl enterprise enterprises ev eurl gbr ggmbh gmbh gmbhcokg inc
incorporated kft kg kgaa kk lda limited llc llp lp ltd ltda mbh nv ohg oy oyj plc pllc pt pte pty pvt sa sab sarl sas sasu sca scs se
sl slu snc spa spj spolka spzoo sro srl ug zoo zrt doo dd ooo oao pao zao
"""
LEGAL_FORMS = frozenset(LEGAL.split())
JOINING = frozenset({"and", "und", "et", "the"})
# Forms written with dots or blanks come apart when punctuation goes; they are put together first.
SPLIT_FORMS = re.compile(
    r"\b(?:s a r l|s p a|s r l|s a s|s a|s l|b v|n v|l l c|l t d|p l c|s r o|sp z o o|z o o|d o o|e v|a s|a g)\b$"
)

NOT_WORD = re.compile(r"[^a-z0-9]+")
DIGITS = re.compile(r"\d+")


@lru_cache(maxsize=200_000)
def folded(text: str) -> str:
    """Lower-case Latin letters and digits, words separated by one blank; empty for what says nothing.

    >>> folded("  MÜLLER-Łuk\u0301asz, O'Neil ")
    'muller lukasz oneil'
    """
    lower = unicodedata.normalize("NFKC", text).casefold().translate(LETTERS)
    plain = unicodedata.normalize("NFKD", lower)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter)).translate(SCRIPTS)
    # An apostrophe joins (O'Neil, d'Arc); all else that is no letter separates.
    for mark in ("'", "`", "\u2019", "\u02bc", "\u00b4"):
        plain = plain.replace(mark, "")
    words = NOT_WORD.sub(" ", plain).strip()
    if not words:
        # A script that we cannot read stays as it is, so that at least the same is the same.
        words = "".join(letter for letter in lower if letter.isalnum())
    return "" if words in PLACEHOLDERS else words


@lru_cache(maxsize=200_000)
def named(text: str) -> str:
    """A person's name without titles and honours; empty where there is nothing else.

    >>> named("Dr. Ann Lee"), named("Sir Henry Wood, 1st Baronet"), named("Mrs")
    ('ann lee', 'henry wood', '')
    """
    words = HONOURS.sub("", folded(text)).split()
    while words and words[0] in TITLES:
        words = words[1:]
    return " ".join(words)


def digits(text: str) -> str:
    return "".join(DIGITS.findall(unicodedata.normalize("NFKC", text)))


def compact(text: str) -> str:
    """Folded and without blanks: identifiers, postcodes."""
    return folded(text).replace(" ", "")


@lru_cache(maxsize=200_000)
def organisation(text: str) -> tuple[str, str]:
    """An organisation's name without its legal form, and the form.

    >>> organisation("Müller & Söhne GmbH & Co. KG")
    ('muller sohne', 'gmbh co kg')
    """
    name = folded(text)
    name = SPLIT_FORMS.sub(lambda found: found.group().replace(" ", ""), name)
    words = name.split()
    kept = [word for word in words if word not in LEGAL_FORMS and word not in JOINING]
    if not kept:
        return name, ""
    return " ".join(kept), " ".join(word for word in words if word in LEGAL_FORMS)


# Consonants that are confused with each other, as in Soundex and its successors, with the usual pairs of letters first.
PAIRS = (("tsch", "s"), ("sch", "s"), ("ch", "k"), ("ck", "k"), ("ph", "f"), ("gh", "g"), ("kh", "k"), ("th", "t"), ("sh", "s"),
         ("wh", "w"), ("kn", "n"), ("wr", "r"), ("dg", "g"), ("tz", "s"), ("ts", "s"), ("qu", "k"), ("x", "ks"))  # fmt: skip
SOUNDS = str.maketrans(
    {
        letter: str(code)
        for code, letters in enumerate(("bp", "fvw", "ckgqj", "dt", "sz", "l", "r", "mn"), 1)
        for letter in letters
    }
    | dict.fromkeys("aeiouyh", " ")
)
MOST_SOUNDS = 6


@lru_cache(maxsize=200_000)
def sound(word: str) -> str:
    """How a folded word sounds, roughly: the classes of its consonants, vowels only where it begins with one.

    Coarser than equality and finer than a first letter: it puts the misspellings of a name into one block.

    >>> sound("meyer"), sound("maier"), sound("smith"), sound("schmidt")
    ('87', '87', '584', '584')
    """
    for letters, spoken in PAIRS:
        word = word.replace(letters, spoken)
    codes = word.translate(SOUNDS)
    heard = "a" if codes.startswith(" ") else ""
    for before, code in zip(" " + codes, codes, strict=False):
        if code not in {" ", before}:
            heard += code
    return heard[:MOST_SOUNDS]
