"""How far somebody has come as a customer: lead, prospect, customer, lapsed, customer again; or disqualified. Pure.

What was heard is kept as marks. The stages somebody has passed are worked out of all marks in the order of their times, so
that it does not matter in which order they came, and a late one moves nobody backwards:

- what channels and people say: the latest said holds, until something is known for a fact;
- a purchase makes a customer, whatever is said before or after it, of who was disqualified too;
- who has bought lapses when scoring calls them gone, and is a customer again with the next purchase. A purchase that lies before
  the lapse and was unknown then shows that there was none;
- only who has not bought can be disqualified, and whoever decided so can take it back.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, TypeAlias, get_args

from shared.contracts.parties import Lifecycle, StageName

SaidStage = Literal["lead", "prospect", "customer"]
SAID: tuple[SaidStage, ...] = get_args(SaidStage)
LASTING = frozenset({*SAID, "bought", "unbought"})
"""Marks of which there is one at most; the others are episodes."""
MAX_EPISODES = 20
"""Lapses, returns and disqualifications that a contact keeps, the latest. Who has so many has no life cycle."""


What = Literal[
    "lead", "prospect", "customer", "bought", "unbought", "lapsed", "returned", "disqualified", "requalified"
]  # fmt: skip
SCORING = "/rapport/scoring"


class Mark(NamedTuple):
    """Something heard. `first` and `last`: of a stage that was said, the first and the last time it was; of `bought`, the first
    purchase, and as of when; of `unbought`, as of when no purchase was known (any more); of the others, when, twice.
    """

    what: What
    first: datetime
    last: datetime
    reason: str
    source: str
    basis: datetime | None = None
    """Of a lapse: the last purchase before it that was known."""


Course: TypeAlias = tuple[Mark, ...]


class Step(NamedTuple):
    """A stage that was reached, when and why. `source`: who said or worked it out."""

    stage: StageName
    since: datetime
    reason: str
    source: str


def said(stage: SaidStage, at: datetime, source: str, reason: str = "reported") -> Mark:
    return Mark(what=stage, first=at, last=at, reason=reason, source=source)


def heard(course: Iterable[Mark], told: Iterable[Mark]) -> Course:
    """The marks of one customer after others. Commutative and idempotent."""
    return _together((*course, *told), _as_of)


def joined(course: Iterable[Mark], other: Iterable[Mark]) -> Course:
    """The marks of two who are one: the first of their purchases is the earlier."""
    return _together((*course, *other), _earlier)


def _together(marks: Iterable[Mark], purchase: Callable[[Mark, Mark], Mark]) -> Course:
    """Of each place one mark, in the order of their times."""
    kept: dict[tuple[str, datetime | None], Mark] = {}
    for mark in marks:
        place = _place(mark)
        kept[place] = _both(kept[place], mark, purchase) if place in kept else mark
    held = sorted(kept.values(), key=_when) if len(kept) > 1 else kept.values()
    if len(kept) <= MAX_EPISODES:
        return tuple(held)
    oldest = {id(mark) for mark in [mark for mark in held if _is_episode(mark)][:-MAX_EPISODES]}
    return tuple(mark for mark in held if id(mark) not in oldest)


def _place(mark: Mark) -> tuple[str, datetime | None]:
    if _is_episode(mark):
        return mark.what, mark.basis or mark.first
    return ("bought" if mark.what == "unbought" else mark.what), None


def _is_episode(mark: Mark) -> bool:
    return mark.what not in LASTING


def _when(mark: Mark) -> tuple[datetime, str, datetime, str, str]:
    return mark.first, mark.what, mark.basis or mark.first, mark.reason, mark.source


def _both(one: Mark, other: Mark, purchase: Callable[[Mark, Mark], Mark]) -> Mark:
    if one.what in {"bought", "unbought"}:
        return purchase(one, other)
    if _is_episode(one):
        return min(one, other, key=_when)
    latest = max(one, other, key=lambda mark: (mark.last, mark.reason, mark.source))
    return latest._replace(first=min(one.first, other.first))


def _as_of(one: Mark, other: Mark) -> Mark:
    """What is known of a first purchase as of the later moment: it may have been cancelled, or be another's after all."""
    return max(one, other, key=lambda mark: (mark.last, mark.what == "bought", -mark.first.timestamp()))


def _earlier(one: Mark, other: Mark) -> Mark:
    earlier = min(one, other, key=lambda mark: (mark.what == "unbought", *_when(mark)))
    return earlier._replace(last=max(one.last, other.last))


def timeline(course: Course) -> list[Step]:
    """The stages that were passed, the earliest first; the last is the present one. Empty: nothing was heard of any."""
    steps: list[Step] = []
    bought = barred = False
    for at, mark in sorted(_events(course), key=lambda event: (event[0], event[1].what)):
        stage = _stage(mark, course, steps, bought=bought, barred=barred)
        bought = bought or mark.what == "bought"
        barred = (barred or stage == "disqualified") and not bought and mark.what != "requalified"
        if stage and (not steps or steps[-1].stage != stage):
            steps.append(Step(stage, at, mark.reason, mark.source))
    return steps


def _events(course: Course) -> Iterator[tuple[datetime, Mark]]:
    """Each mark at its time; of what was said the stage that was said last at that time too."""
    for mark in course:
        yield mark.first, mark
    if spoken := [mark for mark in course if mark.what in SAID]:
        latest = max(spoken, key=lambda mark: (mark.last, mark.what))
        yield latest.last, latest


def _stage(mark: Mark, course: Course, steps: Sequence[Step], *, bought: bool, barred: bool) -> StageName | None:
    """The stage that a mark leads to after these steps; None: it changes nothing."""
    match mark.what:
        case "bought":
            return "customer"
        case "returned":
            return "customer" if bought else None
        case "lapsed":
            return "lapsed" if bought and not _void(mark, course) else None
        case "disqualified":
            return None if bought or (steps and steps[-1].stage == "customer") else "disqualified"
        case "requalified":
            return _before(steps) if barred else None
        case "lead" | "prospect" | "customer":
            return None if bought or barred else mark.what
    return None


def _before(steps: Sequence[Step]) -> StageName:
    """The stage before the present one."""
    return steps[-2].stage if len(steps) > 1 else "lead"


def _void(lapse: Mark, course: Course) -> bool:
    """Whether a purchase has become known that lies between the last one known then and the lapse."""
    known = [mark.first for mark in course if mark.what in {"bought", "returned"}]
    return any(lapse.basis is not None and lapse.basis < at <= lapse.first for at in known)


def present(course: Course) -> tuple[SaidStage | None, Lifecycle | None]:
    """The stage as others have always been told it, and the life cycle where more is known than was said."""
    if spoken := _only_said(course):
        return spoken, None
    steps = timeline(course)
    if not steps:
        return None, None
    last = steps[-1]
    stage = {"lapsed": "customer", "disqualified": _before(steps)}.get(last.stage, last.stage)
    cycle = Lifecycle(stage=last.stage, since=last.since, reason=last.reason)
    return next(one for one in SAID if one == stage), cycle


def _only_said(course: Course) -> SaidStage | None:
    """What was said last, if nothing else is known, as of most: the last step of the timeline, found sooner."""
    latest: tuple[datetime, SaidStage] | None = None
    for mark in course:
        if mark.what not in {"lead", "prospect", "customer"}:
            return None
        latest = max(latest, (mark.last, mark.what)) if latest else (mark.last, mark.what)
    return latest[1] if latest else None


def of_score(
    course: Course, first: datetime | None, last: datetime | None, as_of: datetime, lapse: str | None
) -> list[Mark]:
    """What a score says that is not known yet: mostly nothing. Times to the millisecond.

    `first`, `last`: purchases, None where there are none (any more). `lapse`: why they have lapsed by it; None: they have not.
    """
    known = next((mark for mark in course if mark.what in {"bought", "unbought"}), None)
    bought = known is not None and known.what == "bought"
    if first is None or last is None:
        return [_mark("unbought", turned := _turned(known, as_of), "no-purchase", turned)] if bought else []
    told = []
    if known is None or not bought or known.first != first:
        told.append(_mark("bought", first, "first-purchase", as_of if bought else _turned(known, as_of)))
    lapses = [mark.basis for mark in course if mark.what == "lapsed" and mark.basis]
    if lapses and (before := max((basis for basis in lapses if basis < last), default=None)):
        returns = [mark.first for mark in course if mark.what == "returned"]
        if not any(before < at <= last for at in returns):
            told.append(_mark("returned", last, "purchase", last))
    if lapse and last not in lapses:
        told.append(_mark("lapsed", max(as_of, last), lapse, max(as_of, last), basis=last))
    return told


def _turned(known: Mark | None, as_of: datetime) -> datetime:
    """Scoring tells of one customer in order, perhaps twice as of one moment: where it says the opposite, what it told last holds."""
    return max(as_of, known.last + timedelta(milliseconds=1)) if known else as_of


def _mark(what: What, first: datetime, reason: str, last: datetime, basis: datetime | None = None) -> Mark:
    return Mark(what=what, first=first, last=last, reason=reason, source=SCORING, basis=basis)
