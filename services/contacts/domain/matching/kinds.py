"""What kinds of fields there are, in which degrees two values of a kind agree, and what each degree means to a person."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    GIVEN = "given name"
    MIDDLE = "middle name"
    FAMILY = "family name"
    SUFFIX = "suffix of the name"
    NAME = "name"
    ORGANISATION = "organisation"
    BIRTH = "date of birth"
    YEAR = "year of birth"
    IDENTIFIER = "identifier"
    EMAIL = "e-mail"
    PHONE = "phone"
    STREET = "street"
    NUMBER = "house number"
    POSTCODE = "postcode"
    CITY = "city"
    REGION = "region"
    CATEGORY = "category"
    TEXT = "text"


@dataclass(frozen=True)
class Degree:
    """How far two values agree. `start` is the share of true matches that EM begins with."""

    words: str
    start: float


@dataclass(frozen=True)
class Scale:
    """The degrees of a kind, the best first. Those in `against` speak against one and the same customer by themselves;
    those in `at_home` do where all else that agrees is what a household shares: father and son of one name.
    """

    degrees: tuple[Degree, ...]
    against: tuple[int, ...] = ()
    at_home: tuple[int, ...] = ()


SAME = 0
MISSING = -1
"""One of the two has no value: no evidence, neither for nor against."""


def _scale(*degrees: tuple[str, float], against: tuple[int, ...] = (), at_home: tuple[int, ...] = ()) -> Scale:
    return Scale(tuple(Degree(*one) for one in degrees), against, at_home)


# Starts are ours: about one field in ten of a duplicate is written differently, most of these nearly the same. EM moves them
# as far as the data say.
FIRST_NAME = _scale(
    ("same {}", 0.86), ("{} nearly the same", 0.07), ("{} alike or short for the other", 0.03),
    ("given and family name swapped", 0.01), ("{} differs", 0.03), against=(4,),
)  # fmt: skip
WHOLE_NAME = (
    ("same {}", 0.80), ("{} in another order", 0.03), ("{} nearly the same", 0.08), ("{} is part of the other", 0.05),
    ("{} agrees only in parts", 0.03), ("{} differs", 0.01),
)  # fmt: skip
WORDS = _scale(("same {}", 0.82), ("{} nearly the same", 0.06), ("{} alike", 0.04), ("{} differs", 0.08))

SCALES: dict[Kind, Scale] = {
    Kind.GIVEN: FIRST_NAME,
    Kind.FAMILY: _scale(
        ("same {}", 0.86), ("{} nearly the same", 0.06), ("{} alike or part of the other", 0.02),
        ("given and family name swapped", 0.01), ("{} differs", 0.05),
    ),
    Kind.MIDDLE: _scale(("same {}", 0.86), ("{} nearly the same", 0.04), ("{} alike or an initial", 0.06), ("{} differs", 0.04)),
    Kind.SUFFIX: _scale(("same {}", 0.98), ("{} differs", 0.02), against=(1,)),
    Kind.NAME: _scale(*WHOLE_NAME, against=(4, 5)),
    # At one address, "Acme" and "Acme Logistics" are two firms of one owner as often as one firm written shorter.
    Kind.ORGANISATION: _scale(*WHOLE_NAME, against=(4, 5), at_home=(3,)),
    Kind.BIRTH: _scale(
        ("same {}", 0.88), ("{} with a slip of the pen", 0.08), ("{} agrees in two of three parts", 0.01),
        ("{} within a month", 0.01), ("{} in the same year or within one", 0.01), ("{} differs", 0.01),
        at_home=(4, 5),
    ),
    Kind.YEAR: _scale(("same {}", 0.90), ("{} one apart", 0.06), ("{} a few apart", 0.02), ("{} differs", 0.02), at_home=(3,)),
    Kind.IDENTIFIER: _scale(
        ("same {}", 0.90), ("{} with one slip of the pen", 0.06), ("{} with two slips of the pen", 0.02), ("{} differs", 0.02),
        at_home=(3,),
    ),
    Kind.EMAIL: _scale(("same {}", 0.80), ("{} nearly the same", 0.08), ("{} alike", 0.04), ("{} differs", 0.08)),
    Kind.PHONE: _scale(("same {}", 0.80), ("{} nearly the same", 0.06), ("{} differs", 0.14)),
    Kind.STREET: WORDS,
    Kind.NUMBER: _scale(("same {}", 0.86), ("{} nearly the same", 0.05), ("{} differs", 0.09)),
    Kind.POSTCODE: _scale(("same {}", 0.84), ("{} nearly the same", 0.06), ("{} in the same area", 0.03), ("{} differs", 0.07)),
    Kind.CITY: WORDS,
    Kind.REGION: WORDS,
    Kind.CATEGORY: _scale(("same {}", 0.94), ("{} differs", 0.06)),
    Kind.TEXT: WORDS,
}  # fmt: skip

SWAPPED = 3
"""Of given and family name, the level at which they changed places."""
NAMES = (Kind.GIVEN, Kind.MIDDLE, Kind.FAMILY, Kind.NAME, Kind.ORGANISATION)
ADDRESS = (Kind.STREET, Kind.NUMBER, Kind.POSTCODE, Kind.CITY, Kind.REGION)
SHARED = (Kind.FAMILY, Kind.PHONE, *ADDRESS)
"""What the members of a household, or the firms in a building, have in common. See `evidence`."""
