"""Decisions in MongoDB: put down once, due a horizon later, settled, and counted as evidence."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from services.scoring.domain.purchases import day_of
from services.scoring.domain.retention.assignment import Assignment, Group
from services.scoring.domain.retention.catalogue import NO_ACTION, Action, Catalogue
from services.scoring.domain.retention.decision import AtStake, Decision, Terms, decide
from services.scoring.domain.retention.evidence import Counts, Evidence
from services.scoring.domain.retention.own import Lesson
from services.scoring.domain.retention.persuasion import beliefs
from services.scoring.handlers import Decided, Drawn
from services.scoring.store import MongoActions, MongoDecisions, MongoRestrictions
from shared import mongo
from shared.settings import PlatformSettings
from tests.scoring.events import customer
from tests.scoring.orders import START

pytestmark = pytest.mark.integration
CATALOGUE = Catalogue((Action("call", 0.1), Action("gift", 0.1, 5.0, 0.5)))


@pytest.fixture
async def stores(settings: PlatformSettings) -> AsyncIterator[tuple[MongoDecisions, MongoActions]]:
    client = mongo.connect(settings)
    database = client[f"{settings.namespace}rapport_scoring"]
    decisions = MongoDecisions(database)
    await decisions.prepare()
    yield decisions, MongoActions(database)
    await client.drop_database(database)
    await mongo.close(client)


def decided(number: int, action: str, group: Group = "exploration", at: datetime = START) -> Decided:
    known = {one.name: beliefs(Evidence(), one.name, CATALOGUE.prior) for one in CATALOGUE}
    terms = Terms(CATALOGUE, known, Assignment("test"), 1.0, "2021-01")
    (made,) = decide([AtStake(customer(number), "regular", 50.0)], terms)
    decision = Decision(**{**vars(made), "action": action, "group": group})
    return Decided(decision, ["words"], "2021-01", at, recorded=False)


async def test_the_first_decision_of_a_month_stays(stores: tuple[MongoDecisions, MongoActions]) -> None:
    decisions, _ = stores
    first = await decisions.record(decided(1, "call"))
    assert first == decided(1, "call")._replace(recorded=True)
    assert await decisions.record(decided(1, NO_ACTION)) == first
    assert await decisions.recorded(customer(1), "2021-01") == first
    assert await decisions.recorded(customer(1), "2021-02") is None


async def test_outcomes_are_settled_once_and_counted(stores: tuple[MongoDecisions, MongoActions]) -> None:
    decisions, _ = stores
    for number in range(6):
        await decisions.record(decided(number, "call" if number % 2 else NO_ACTION, at=START + timedelta(days=number)))
    await decisions.record(decided(7, "call", group="decided"))
    assert await decisions.settled() == Evidence()
    due = await decisions.due(START + timedelta(days=3), 3)
    assert [one.at for one in due] == [START, START, START + timedelta(days=1)]
    everything = await decisions.due(START + timedelta(days=9), 99)
    await decisions.settle({one.id: one.customer_id != customer(1) for one in everything})
    assert await decisions.due(START + timedelta(days=9), 99) == []
    same = {"control": 3, "control_stayed": 3}
    assert await decisions.settled() == Evidence(
        {("call", "regular"): Counts(3, 2, **same), ("gift", "regular"): Counts(**same)}
    )


async def test_nothing_is_learnt_of_who_is_restricted_and_what_is_open_waits(
    stores: tuple[MongoDecisions, MongoActions], settings: PlatformSettings
) -> None:
    decisions, _ = stores
    client = mongo.connect(settings)
    restrictions = MongoRestrictions(client[f"{settings.namespace}rapport_scoring"])
    for number in range(3):
        await decisions.record(decided(number, "call"))
    settled, waiting, other = await decisions.due(START, 9)
    await decisions.settle({settled.id: True})
    known = await decisions.settled()
    await restrictions.put({customer(0): True, customer(1): True}, None)
    assert await decisions.due(START, 9) == [other]
    await decisions.settle({waiting.id: False, other.id: True})
    alone = await decisions.settled()
    assert alone != Evidence()
    await restrictions.put({customer(0): False, customer(1): False}, None)
    assert await decisions.due(START, 9) == [waiting]
    both = await decisions.settled()
    assert known not in (both, Evidence())
    assert both != alone
    await mongo.close(client)


async def test_what_was_drawn_comes_back_with_what_was_known_and_its_outcome(
    stores: tuple[MongoDecisions, MongoActions],
) -> None:
    decisions, _ = stores
    drawn = Drawn({"complaint_90": 1.0, "visit_days_since": None}, 0.05, 0.1)
    for number in range(5):
        await decisions.record(decided(number, "call" if number % 2 else NO_ACTION)._replace(drawn=drawn))
    await decisions.record(decided(7, "call")._replace(uplift_version=3))
    first = await decisions.recorded(customer(1), "2021-01")
    assert first is not None
    assert (first.drawn, first.uplift_version) == (drawn, None)
    other = await decisions.recorded(customer(7), "2021-01")
    assert other is not None
    assert (other.drawn, other.uplift_version) == (None, 3)
    assert await decisions.lessons(None, 9) == []
    await decisions.settle({one.id: one.customer_id == customer(1) for one in await decisions.due(START, 99)})
    page = await decisions.lessons(None, 2)
    rest = await decisions.lessons(page[-1][0], 9)
    found = [lesson for _, lesson in [*page, *rest]]
    assert [one.customer_id for one in found] == [customer(number) for number in range(5)]
    assert [one.stayed for one in found] == [False, True, False, False, False]
    expected = Lesson(
        customer(1), day_of(START), "call", ["call", "gift"], "regular", True, 0.05, 0.1, dict(drawn.features)
    )
    assert found[1] == expected


async def test_actions_come_back_as_they_were_set(stores: tuple[MongoDecisions, MongoActions]) -> None:
    _, actions = stores
    assert await actions.catalogue() == Catalogue(())
    await actions.set(CATALOGUE)
    assert await actions.catalogue() == CATALOGUE
