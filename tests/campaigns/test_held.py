"""What campaigns holds on a customer: also that they were held out, and nothing of draws that were given up."""

from datetime import UTC, datetime
from typing import Any

import pytest
from bson import Decimal128

from services.campaigns.store.held import held
from shared import mongo
from shared.settings import PlatformSettings

pytestmark = pytest.mark.integration
ANN, BOB = "019b7a2c-5c00-7d3e-a1b2-0c9d8e7f6a5b", "019b7a2c-5c01-7000-8000-5a4b3c2d1e0f"
CAT = "019b7a2c-5c02-7000-8000-5a4b3c2d1e0f"
AT = datetime(2026, 1, 2, tzinfo=UTC)


async def test_campaigns_profile_and_orders_are_told(settings: PlatformSettings) -> None:
    client = mongo.connect(settings)
    database = client[f"{settings.namespace}rapport_campaigns"]
    await database["profiles"].insert_one({"_id": ANN, "sales": {"total": Decimal128("5.10")}})
    await database["orders"].insert_many(
        {"_id": f"o{n}", "customer_id": ANN if n < 3 else BOB, "total": Decimal128("1")} for n in range(4)
    )
    await database["campaigns"].insert_many(
        {"_id": f"c{n}", "name": f"Spring {n}", "channel": "email", "launched_at": AT, **({"drawn_in": 2} if n else {})}
        for n in range(4)
    )
    await database["selections"].insert_many(
        [
            {"_id": f"c1:2:{ANN}", "customer_id": ANN, "arm": "control"},
            {"_id": f"c2:1:{ANN}", "customer_id": ANN, "arm": "treatment"},
            {"_id": f"c2:2:{BOB}", "customer_id": BOB, "arm": "treatment"},
            {"_id": f"c3:2:{ANN}", "customer_id": ANN, "arm": "treatment", "kept_back": {"campaign": "c3", "due": AT}},
        ]
    )
    await database["links"].insert_many([{"_id": BOB, "into": ANN, "turn": 1}, {"_id": CAT, "into": None, "turn": 2}])
    told: dict[str, list[dict[str, Any]]] = {}
    cursor: str | None = None
    while True:
        page = await held(database).page([ANN], cursor, 1)
        for item in page.items:
            told.setdefault(item.section, []).append(item.data)
        if (cursor := page.next) is None:
            break
    assert told["profile"] == [{"id": ANN, "sales": {"total": "5.10"}}]
    assert told["links"] == [{"customer_id": BOB, "merged_into": ANN}]
    assert [one["id"] for one in told["orders"]] == ["o0", "o1", "o2"]
    assert [(one["campaign"], one["name"], one["arm"]) for one in told["campaigns"]] == [
        ("c1", "Spring 1", "control"),
        ("c3", "Spring 3", "treatment"),
    ]
    assert [one.get("waiting_until") for one in told["campaigns"]] == [None, "2026-01-02T00:00:00Z"]
    await mongo.close(client)
