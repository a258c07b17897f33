"""The report of all contacts: made once when it is due, by one instance, out of every contact."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.contacts.api.quality import BaseQuality
from services.contacts.domain.quality import WORDS, quality
from services.contacts.domain.survivorship import Known, Statement, fold, newcomer
from services.contacts.handlers import Changes
from services.contacts.handlers.measuring import PIECE, Measuring
from services.contacts.store import MongoStore, QualityStore
from shared import mongo
from shared.ids import uuid7
from shared.settings import PlatformSettings
from tests.contacts.memory import MemoryReports, MemoryStore
from tests.contacts.test_handlers import Noon

NOW = datetime(2026, 1, 2, tzinfo=UTC)
LEASE = timedelta(minutes=1)


def known(number: int, **fields: Any) -> Known:
    return fold(newcomer(uuid7(NOW + timedelta(seconds=number)), NOW), Statement("s", NOW, fields=fields))


def measuring(reports: MemoryReports | QualityStore, owner: str = "a") -> Measuring:
    return Measuring(reports, Noon(), owner, share=1.0, country=None)


class ReportsSuite:
    """What every keeper of reports does."""

    async def test_a_report_is_made_by_one_at_a_time(self, reports: MemoryReports | QualityStore) -> None:
        assert await reports.report() is None
        assert await reports.claim("a", NOW, LEASE)
        assert not await reports.claim("b", NOW, LEASE)
        assert await reports.renew("a", NOW, LEASE)
        assert not await reports.renew("b", NOW, LEASE)
        await reports.save_report("b", {"by": "b"}, NOW)
        assert await reports.report() is None, "it is a's"
        await reports.save_report("a", {"by": "a"}, NOW + timedelta(hours=1))
        assert await reports.report() == {"by": "a"}
        assert not await reports.claim("b", NOW, LEASE), "the next is not due"
        assert await reports.claim("b", NOW + timedelta(hours=1), LEASE)

    async def test_who_is_silent_for_a_lease_loses_the_report(self, reports: MemoryReports | QualityStore) -> None:
        assert await reports.claim("a", NOW, LEASE)
        assert await reports.claim("b", NOW + LEASE, LEASE)
        assert not await reports.renew("a", NOW + LEASE, LEASE)

    async def test_the_report_is_of_every_contact_once(
        self, reports: MemoryReports | QualityStore, store: MemoryStore | MongoStore
    ) -> None:
        contacts = [known(number, name=f"Ann {number}") for number in range(PIECE + 3)]
        await store.save(Changes(contacts=[*contacts, known(-1)]), None, NOW)
        await measuring(reports).measure_if_due()
        report = await reports.report()
        assert report is not None
        assert report["contacts"] == PIECE + 4
        scores = [quality(one, NOW).score for one in [*contacts, known(-1)]]
        assert report["mean"] == pytest.approx(sum(scores) / len(scores))
        for rows in (report["values"], report["findings"]):
            rows[:] = [{**row, "words": WORDS[row["reason"]]} for row in rows]
        body = BaseQuality.model_validate(report)
        assert body.as_of == NOW
        assert sum(body.bands.values()) == PIECE + 4
        assert {one.count for one in body.values if one.field == "name"} == {PIECE + 3}

    async def test_a_base_without_anybody_has_a_report_too(self, reports: MemoryReports | QualityStore) -> None:
        await measuring(reports).measure_if_due()
        report = await reports.report()
        assert report is not None
        assert (report["contacts"], report["mean"], report["dimensions"]) == (0, None, [])


class TestMemory(ReportsSuite):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()

    @pytest.fixture
    def reports(self, store: MemoryStore) -> MemoryReports:
        return MemoryReports(store)

    async def test_whoever_has_lost_it_on_the_way_keeps_no_report(self, store: MemoryStore) -> None:
        class Overtaken(MemoryReports):
            async def piece(self, after: str, limit: int) -> list[Known]:
                self.owner = "b"
                return await super().piece(after, limit)

        await store.save(Changes(contacts=[known(1)]), None, NOW)
        reports = Overtaken(store)
        await measuring(reports).measure_if_due()
        assert await reports.report() is None


@pytest.mark.integration
class TestMongo(ReportsSuite):
    @pytest.fixture(params=["pymongo", "motor"])
    async def database(
        self, request: pytest.FixtureRequest, settings: PlatformSettings
    ) -> AsyncIterator[mongo.Database]:
        client = mongo.connect(settings.model_copy(update={"mongo_driver": request.param}))
        yield client[f"{settings.namespace}rapport_contacts"]
        await mongo.close(client)

    @pytest.fixture
    async def store(self, database: mongo.Database) -> MongoStore:
        store = MongoStore(database)
        await store.prepare()
        return store

    @pytest.fixture
    async def reports(self, database: mongo.Database) -> QualityStore:
        reports = QualityStore(database)
        for _ in range(2):  # as two instances do
            await reports.prepare()
        return reports
