"""A running service with keys of all sorts, for the tests of what keys may see."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from fastapi import FastAPI

from services.contacts.main import create
from services.contacts.settings import ContactSettings
from shared.contracts.contacts import Contact
from shared.contracts.sync import KeyIssued
from shared.ids import uuid7
from shared.security import new_key
from shared.settings import PlatformSettings
from tests.web import serving

NOW = datetime(2026, 1, 2, tzinfo=UTC)
Client = aiohttp.ClientSession


def contact(**fields: Any) -> Contact:
    told = {"party": "person", "stage": "lead", "identifiers": [], "registered_at": NOW, "changed_at": NOW}
    return Contact(customer_id=uuid7(NOW), version=1, **told | fields)


class Staff:
    """Clients of one running service, one for each key."""

    def __init__(self, app: FastAPI, admin: Client) -> None:
        self.app, self.admin = app, admin
        self.sessions: list[Client] = []

    def holder(self, *scopes: str, **limits: Any) -> Client:
        key_id, key, sha256 = new_key()
        issued = KeyIssued(
            key_id=key_id,
            name="Nick",
            kind="person",
            scopes=list(scopes),
            secret_sha256=sha256,
            issued_at=NOW,
            **limits,
        )
        self.app.state.keys.apply(issued)
        session = aiohttp.ClientSession(self.admin._base_url, headers={"authorization": f"Bearer {key}"})
        self.sessions.append(session)
        return session

    def of_the_north(self) -> Client:
        kinds = ("read", "write", "merge", "sensitive", "export")
        return self.holder(*(f"contacts:{kind}" for kind in kinds), "privacy:export", territories=["north"])


@pytest.fixture
async def staff(settings: PlatformSettings, topics: dict[str, int]) -> AsyncIterator[Staff]:
    _, key, sha256 = new_key()
    app = create(ContactSettings(**settings.model_dump() | {"admin_key_sha256": sha256}))
    async with serving(app, key=key) as admin:
        staff = Staff(app, admin)
        yield staff
        for session in staff.sessions:
            await session.close()
