"""What interactions removes of somebody who is erased, what it keeps by law, and how it finds refused events of theirs."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from services.interactions.domain.keeping import KeptSales
from services.interactions.domain.traces import Traces, mentions
from services.interactions.store import erasing
from services.interactions.store.retelling import told
from shared import mongo
from shared.contracts.interactions import INTERACTIONS, SALES
from shared.erasing import Work
from shared.messaging import Unit
from shared.settings import PlatformSettings
from tests.interactions.conftest import Shop, call, get, post, sale
from tests.interactions.facts import ANNA
from tests.journeys.test_returns import cancelled, returned, sale as sold
from tests.waiting import eventually

TRACES = Traces.of({"card:7", "email:Ann@B.de"}, {"ann@b.de", "+493012345678"}, {ANNA})
ID = "019b7a2c-5c00-7d3e-a1b2-0c9d8e7f6a5b"
LAW = KeptSales(basis="Fiscal Code, section 147", years=10)


def identified(scheme: str, value: Any) -> bytes:
    return orjson.dumps({"data": {"customer": [{"scheme": scheme, "value": value}]}})


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        (b"card:7", b"{}", True),
        (ANNA.encode(), b"", True),
        (None, identified("card", "7"), True),
        (None, identified("CARD", "7"), True),
        (None, identified("card", "77"), False),
        (None, identified("till", "7"), False),
        (None, identified("card", 7), True),
        (None, orjson.dumps({"data": {"email": "ANN@b.de"}}), True),
        (None, orjson.dumps([{"x": [{"y": "+493012345678"}]}]), True),
        (None, orjson.dumps({"note": "about 7"}), False),
        (None, b'{"broken": "ann@b.de', True),
        (None, b"\xff\xfe", False),
        (None, b"7", False),
        (None, None, False),
        (b"", b"null", False),
        (None, orjson.dumps({"customer": "card:7"}), True),
        (None, orjson.dumps({"customer": ["Card:7"]}), True),
        (None, orjson.dumps({"customers": {"ann@b.de": {}}}), True),
    ],
)
def test_a_refused_event_is_found_by_what_it_says_of_the_customer(
    key: bytes | None, value: bytes | None, named: bool
) -> None:
    assert mentions(TRACES, key, value) is named


@pytest.mark.parametrize("nesting", [(b"[", b"]"), (b'{"a":', b"}")])
def test_a_hostile_event_hides_nobody_by_its_depth(nesting: tuple[bytes, bytes]) -> None:
    before, after = (one * 1_000 for one in nesting)
    assert mentions(TRACES, None, before + b'"ann@b.de"' + after)
    assert not mentions(TRACES, None, before + b'"bert@b.de"' + after)


@pytest.mark.parametrize(
    ("header", "named"), [(b"card:7", True), (b"Ann@b.de", True), (b"card:77", False), (b"\xff", False), (None, False)]
)
def test_a_refused_event_is_found_by_its_headers(header: bytes | None, named: bool) -> None:
    assert mentions(TRACES, None, b"{}", [("ce_subject", header)]) is named


def test_books_are_kept_until_the_end_of_the_last_year() -> None:
    assert LAW.until(datetime(2026, 3, 1, tzinfo=UTC)) == datetime(2037, 1, 1, tzinfo=UTC)
    assert LAW.until(datetime(2024, 2, 29, 23, tzinfo=UTC)) == datetime(2035, 1, 1, tzinfo=UTC)


@pytest.mark.integration
@pytest.mark.parametrize("law", [None, LAW])
async def test_the_history_of_the_erased_is_bare_and_amounts_are_sealed_if_the_law_wants_it(
    shop: Shop, settings: PlatformSettings, law: KeptSales | None
) -> None:
    await shop.open_contacts()
    async with shop.interactions() as client:
        await post(client, "/v1/events", [sale("O-1"), call(1), sale("O-2", card="LC-2")])

        async def three() -> Any:
            return len((await get(client, "/v1/interactions"))["items"]) == 3

        await eventually(three)
        ann = (await get(client, "/v1/orders", channel="/channels/north-pos", number="O-1"))["items"][0]["customer_id"]
        mongo_client = mongo.connect(settings)
        database = mongo_client[f"{settings.namespace}rapport_interactions"]
        lines = erasing.Lines(law)
        removed = await mongo.transaction(
            mongo_client, lambda session: lines.piece(Unit("interactions", database, session), Work(ID, [ann]))
        )
        assert removed == 2
        assert (await get(client, "/v1/interactions", customer_id=ann))["items"] == []
        assert len((await get(client, "/v1/interactions"))["items"]) == 1
        rows = [row async for row in database["history"].find({"waiting": erasing.ERASED})]
        assert [set(row) for row in rows] == [{"_id", "waiting"}] * 2
        sealed = [row async for row in database["sealed"].find({})]
        assert [(row["order"], row["basis"]) for row in sealed] == ([("O-1", LAW.basis)] if law else [])
        assert not any(ann in str(row) for row in sealed)
        # The channel sends it once more: it is known, and makes nobody anew.
        await post(client, "/v1/events", [sale("O-1")])

        async def known() -> bool:
            return bool((await get(client, "/v1/interactions/summary"))["duplicates"] == 1)

        await eventually(known)
        assert len((await get(client, "/v1/orders"))["items"]) == 1
        await mongo.close(mongo_client)


@pytest.mark.integration
async def test_what_was_told_can_be_told_again_from_the_history(shop: Shop, settings: PlatformSettings) -> None:
    """As it was, whatever has become of orders since: else whoever rebuilds from it would count otherwise."""
    back = returned("O-1", "4.00")
    back["data"]["lines"] = [{"product": "P", "quantity": "1", "value": "4.00", "restocked": "1"}]
    await shop.open_contacts()
    async with shop.interactions() as client:
        await post(client, "/v1/events", [sold("O-1", "10.00"), sold("O-2", "3.00"), call(1)])
        await post(
            client,
            "/v1/events",
            [back, cancelled("O-1"), returned("O-2", "3.00"), returned("O-1", "1.00", event_id="x")],
        )
        records = [*await shop.records(SALES.name, 5), *await shop.records(INTERACTIONS.name, 1)]
    client_ = mongo.connect(settings)
    history = client_[f"{settings.namespace}rapport_interactions"]["history"]
    rows = {row["_id"]: row async for row in history.find({"waiting": None})}
    again = [told(row, rows) for row in rows.values()]
    await mongo.close(client_)
    types = SALES.types | INTERACTIONS.types
    first = [types[dict(one.headers)["ce_type"].decode()].model_validate_json(one.value) for one in records]  # type: ignore[union-attr, arg-type]

    def by_kind(fact: Any) -> tuple[str, str]:
        return fact.TYPE, str(fact)

    assert sorted(again, key=by_kind) == sorted(first, key=by_kind)
