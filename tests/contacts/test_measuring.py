"""The report of all contacts: made once when it is due, by one instance, out of every contact."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.contacts.api.quality import BaseQuality
from services.contacts.domain.merging import Merge, merged, regrouped
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


def known(number: int, **fields: Any) -> Known:
    return fold(newcomer(uuid7(NOW + timedelta(seconds=number)), NOW), Statement("s", NOW, fields=fields))


def measuring(reports: MemoryReports | QualityStore, owner: str = "a") -> Measuring:
    return Measuring(reports, Noon(), owner, share=1.0, country=None)


class ReportsSuite:
    """What every keeper of reports does."""

    async def test_the_last_report_is_kept(self, reports: MemoryReports | QualityStore) -> None:
        assert await reports.report() is None
        for number in (1, 2):
            await reports.save_report({"number": number, "of": "$dollars"})
            assert await reports.report() == {"number": number, "of": "$dollars"}

    async def test_a_report_is_made_by_one_at_a_time(self, reports: MemoryReports | QualityStore) -> None:
        assert await reports.lease.claim("b", 60)
        await measuring(reports, "a").measure()
        assert await reports.report() is None
        await reports.lease.release("b")
        await measuring(reports, "a").measure()
        assert await reports.report() is not None
        assert await reports.lease.claim("b", 60), "a has given it back"

    async def test_the_report_is_of_every_contact_once(
        self, reports: MemoryReports | QualityStore, store: MemoryStore | MongoStore
    ) -> None:
        contacts = [known(number, name=f"Ann {number}") for number in range(PIECE + 3)]
        await store.save(Changes(contacts=[*contacts, known(-1)]), None, NOW)
        await measuring(reports).measure()
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

    async def test_customers_who_are_one_are_judged_as_one(
        self, reports: MemoryReports | QualityStore, store: MemoryStore | MongoStore
    ) -> None:
        ann, bob = known(1, name="Ann Meyer"), known(2, language="de", email="a@gmial.com")
        (survivor, absorbed) = (one.contact.customer_id for one in (ann, bob))
        parts = merged({survivor: ann, absorbed: bob}, Merge(uuid7(NOW), survivor, absorbed, NOW, "/keys/me"))
        root, _ = regrouped(parts, survivor, NOW)
        await store.save(Changes(contacts=[root, parts[absorbed]]), None, NOW)
        of_survivor, of_absorbed = [await measuring(reports).of(one) for one in (survivor, absorbed)]
        assert of_survivor is not None
        assert {value.field for value in of_survivor.values} == {"name", "language", "email"}
        assert of_absorbed == of_survivor
        await measuring(reports).measure()
        report = await reports.report()
        assert report is not None
        assert (report["contacts"], report["mean"]) == (1, of_survivor.score)
        assert await measuring(reports).of(uuid7(NOW)) is None

    async def test_a_base_without_anybody_has_a_report_too(self, reports: MemoryReports | QualityStore) -> None:
        await measuring(reports).measure()
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
        return QualityStore(database)
