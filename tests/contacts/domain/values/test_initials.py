"""Initials never shut out whoever fits what was typed, and mostly whoever does not."""

from itertools import product

from services.contacts.domain.values import words
from services.contacts.domain.values.initials import initials, may_fit
from services.contacts.domain.values.search import place, ranges

NAMES = (
    "Anna Müller", "Juergen Mueller", "José García Márquez", "Al Li", "Ng", "Иван Петров", "Smythe & Sons", "O'Brien", "3M", "X", "Philip Schmidt",
    "Maria del Mar", "Zoë Ångström", "",
)  # fmt: skip
TYPED = (
    *NAMES,
    "an",
    "a",
    "muell",
    "jurgen",
    "filip shmid",
    "ivan pe",
    "petrof",
    "garcia jo",
    "3",
    "smith",
    "li al",
    "qx12 anna",
    "--",
)


def test_whoever_fits_may_fit() -> None:
    fitting = others = passed = 0
    for name, typed in product(NAMES, TYPED):
        held, passes = words.keys(name), may_fit(typed)
        here = passes is None or passes(initials(held))
        if place(ranges(typed), set(held)):
            fitting += 1
            assert here, (name, typed)
        elif passes:
            others += 1
            passed += here
    assert fitting > len(NAMES)
    assert passed < others / 5


def test_one_letter_tells_nothing() -> None:
    assert may_fit("a") is None
    assert may_fit("a b") is None


def test_who_has_no_initials_yet_passes() -> None:
    passes = may_fit("anna")
    assert passes
    assert passes(None)
    assert not passes(0)


def test_they_fit_a_number_of_the_database() -> None:
    assert initials(words.keys(*NAMES)) < 2**63
