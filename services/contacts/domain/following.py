"""What follows from more than the last that was said: the stage from the life cycle, faults from values that were kept out."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from services.contacts.domain import lifecycle
from services.contacts.domain.known import Fault, Known
from services.contacts.domain.lifecycle import Course
from shared.contracts.contacts import Contact

UNKNOWN_STAGE: lifecycle.SaidStage = "prospect"
"""Of whom nobody has said anything: somebody may come to buy."""
MAX_FAULTS = 50
"""As many as a contact has attributes; the longest unsaid give way."""


def faulty(known: Known, told: Mapping[str, Fault]) -> Known:
    """With what was kept out; of each attribute the latest, and of all of them the latest."""
    faults = {name: max(told[name], known.faults.get(name, told[name])) for name in told}
    latest = sorted({**known.faults, **faults}.items(), key=lambda one: (one[1], one[0]))[-MAX_FAULTS:]
    return replace(known, faults=dict(sorted(latest)))


def standing_faults(known: Known) -> dict[str, str]:
    """Attributes whose last value was kept out, with the reason: of which none that fits was said since."""
    said = known.said
    return {
        name: fault.reason
        for name, fault in known.faults.items()
        if all(said.get(f"{place}.{name}", fault.at) <= fault.at for place in ("attributes", "sensitive"))
    }


def staged(known: Known, course: Course) -> Known:
    """With the stage that follows from what was heard of the life cycle."""
    if course == known.course:
        return known
    return replace(known, contact=at_stage(known.contact, course), said=stage_said(known.said, course), course=course)


def at_stage(contact: Contact, course: Course) -> Contact:
    stage, cycle = lifecycle.present(course)
    if (stage or UNKNOWN_STAGE) == contact.stage and cycle == contact.lifecycle:
        return contact
    return contact.model_copy(update={"stage": stage or UNKNOWN_STAGE, "lifecycle": cycle})


def stage_said(said: Mapping[str, datetime], course: Course) -> Mapping[str, datetime]:
    """With when a stage was said last, as of any field."""
    spoken = [mark.last for mark in course if mark.what in lifecycle.SAID]
    return {**said, "stage": max(spoken)} if spoken else said


def course_of(known: Known) -> Course:
    return known.course or first_course(known.contact.stage, known.said.get("stage"))


def first_course(stage: lifecycle.SaidStage, said_at: datetime | None) -> Course:
    """Of a contact kept before there was a life cycle: the stage that was said last."""
    return (lifecycle.said(stage, said_at, ""),) if said_at else ()
