"""Names of people and firms: short forms, initials, double names, and names of several words brought together word by word."""

from functools import lru_cache

from rapidfuzz.distance import OSA, JaroWinkler

# Short forms that no comparison of letters finds. Facts of common use, English first; those that begin alike need no entry.
SHORT_FORMS = """
william bill billy will liam; robert bob bobby rob; richard dick rick rich; edward ted ned eddie; margaret peggy meg maggie
greta; elizabeth elisabeth betty liz beth lizzie lisa eliza bess; james jim jimmy jamie; john jack johnny jon; henry harry hank;
charles chuck charlie; mary molly polly mae; katherine catherine kate kathy katie kitty cathy; theodore ted theo; anthony tony;
alexander sasha alex sandy xander; michael mike mick misha; francis frank; dorothy dot dolly; sarah sally sadie; helen nell ellen
nellie; ann anne nancy annie nan; susan sue suzie; patricia pat patty trish; patrick paddy pat; joseph joe jose sepp; thomas tom
tommy; george jorge; christopher kit chris; daniel dan danny; david dave; lawrence larry; leonard len lenny; eugene gene yevgeny
evgeny; rebecca becky; victoria vicky tori; virginia ginny; martha patty; jonathan jon; gerald jerry gerry; jeremy jerry; albert
bert al; herbert bert; hubert bert; gilbert bert; andrew andy drew; abigail abby gail; harold hal harry; isabella bella; deborah
debbie; barbara babs; florence flo; frederick fred fritz; johannes hans; friedrich fritz; josef sepp; maximilian max; wilhelm willi;
francisco paco; jose pepe; ignacio nacho; dolores lola; guadalupe lupe; ivan vanya; vladimir volodya vova; dmitri dima; maria masha
"""
FORMS: dict[str, set[int]] = {}
for _number, _group in enumerate(SHORT_FORMS.replace("\n", " ").split(";")):
    for _name in _group.split():
        FORMS.setdefault(_name, set()).add(_number)

TOGETHER = 55
"""rapidfuzz's token_set_ratio below which two names have no word in common, not even nearly."""
WORD = 0.88
ALMOST = 2
VOWELS = frozenset("aeiou")
SAME, ORDER, NEAR, PART, SOME, NONE = range(6)


def given_alike(left: str, right: str) -> bool:
    """An initial, a short form, or one of several given names of the other."""
    a, b = left.split(), right.split()
    return bool(a and b and _short(a[0], b[0])) or parts_of(left, right)


def parts_of(left: str, right: str) -> bool:
    """One name is among the words of the other, or is the other written as one word: Ann of Mary Ann, Garcia of Garcia Lopez."""
    if " " not in left and " " not in right:
        return False
    a, b = left.split(), right.split()
    few, many = sorted((a, b), key=len)
    return all(any(_word(one, other) >= ALMOST for other in many) for one in few) or "".join(a) == "".join(b)


def _short(one: str, other: str) -> bool:
    few, many = (one, other) if len(one) <= len(other) else (other, one)
    if not many.startswith(few):
        forms = FORMS.get(one)
        return forms is not None and not forms.isdisjoint(FORMS.get(other, ()))
    return len(few) == 1 or len(few) >= 3


@lru_cache(maxsize=500_000)
def _word(one: str, other: str) -> int:
    """3 the same word, 2 nearly, 1 an initial or short form, 0 another word. Numbers are the same or not."""
    if one == other:
        return 3
    if one.isdigit() or other.isdigit():
        return 0
    if min(len(one), len(other)) >= 3 and JaroWinkler.similarity(one, other) >= WORD and OSA.distance(one, other) <= 2:
        return 2
    return int(_short(one, other))


def firm(left: str, right: str) -> int:
    """As `whole`, of organisations; who writes Eng. for Engineering writes the same name."""
    one, two = (name.partition("|")[0].split() for name in (left, right))
    if len(one) == len(two) and all(_word(a, b) >= ALMOST or abbreviated(a, b) for a, b in zip(one, two, strict=True)):
        return whole(left, right) if one == two else NEAR
    return whole(left, right)


def abbreviated(one: str, other: str) -> bool:
    """Whether the shorter begins the longer, or is its first letter and some of its consonants.

    >>> abbreviated("eng", "engineering"), abbreviated("svcs", "services"), abbreviated("marin", "martinson")
    (True, True, False)
    """
    few, many = sorted((one, other), key=len)
    if len(few) < 3 or not few.isalpha() or few[0] != many[0]:
        return False
    letters = iter(many)
    return many.startswith(few) or (not VOWELS.intersection(few[1:]) and all(letter in letters for letter in few))


def whole(left: str, right: str) -> int:
    """The level of two different names of several words, behind a bar perhaps a firm's legal form."""
    (a, _, form), (b, _, other_form) = left.partition("|"), right.partition("|")
    if a == b:
        # The same name, and the form is missing or another one: two firms of one owner do that.
        return SOME if form and other_form and form != other_form else ORDER
    one, two = a.split(), b.split()
    if sorted(one) == sorted(two):
        return ORDER
    if "".join(one) == "".join(two):
        return NEAR
    few, many = sorted((one, two), key=len)
    best, left_over = _together(few, many)
    if min(best) >= 2 and not left_over:
        return NEAR
    if min(best) >= 1:
        # One word alone is nobody's name: Smith is not a part of John Smith that says who it is.
        return PART if len(few) > 1 else SOME
    return SOME if max(best) >= 2 else NONE


def _together(few: list[str], many: list[str]) -> tuple[list[int], int]:
    """How well each of the fewer words fits the best word that is still free, and how many words are left over."""
    free = list(many)
    found = []
    for word in few:
        place = max(range(len(free)), key=lambda index: _word(word, free[index]))
        fit = _word(word, free[place])
        found.append(fit)
        if fit:
            free.pop(place)
    return found, len(free)
