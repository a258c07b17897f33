"""A customer whom every service and a channel know, and whom nothing else is like."""

from typing import Any

import orjson
from aiokafka import AIOKafkaProducer

from services.interactions.api.examples import CALL
from shared.contracts.channels import ContactReported
from shared.messaging import CloudEvent
from tests.journeys import traces
from tests.journeys.conftest import Company, Event
from tests.journeys.test_returns import said, sale
from tests.sync.receiver import Receiver
from tests.waiting import eventually

CARD = "LC-77345512"
PERSON = traces.Person("Xaverine", "Quendolin", "quendolin@example.org", "3012345678", CARD)
REPORT: dict[str, Any] = {
    "reported_at": "2026-01-02T00:00:00Z",
    "name": "Xaverine Quendolin",
    "email": "Quendolin@example.org",
    "phone": "+493012345678",
    "consents": [{"purpose": "service", "channel": "any", "status": "granted", "given_at": "2026-01-01T00:00:00Z"}],
}
WHY = {"reason": "consent-withdrawn", "asked_by": "customer", "reference": "DSR-1"}


def report(event_id: str, **data: Any) -> Event:
    event = said(CALL, event_id, CARD)
    return event | {"type": ContactReported.TYPE, "data": {"customer": event["data"]["customer"]} | REPORT | data}


async def listened_to(company: Company, receiver: Receiver, name: str = "e-shop") -> None:
    said = {"channel_id": name, "kind": "webhook", "purpose": "service", "basis": "contract", "fields": ["*"]}
    made = await company.post("sync", "/v1/channels", said | {"url": receiver.url})
    receiver.secret = made["secret"]


async def refused(company: Company) -> None:
    """An event of theirs that nobody can take, straight from a channel that writes to the log itself."""
    bad = report("bad", email=17)
    event = CloudEvent(bad["id"], bad["source"], bad["type"], orjson.dumps(bad["data"]))
    settings = company.shop.settings
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap) as producer:
        topic = f"{settings.namespace}crm.inbound"
        await producer.send_and_wait(topic, event.data, key=CARD.encode(), headers=event.headers())

    async def kept() -> bool:
        return bool((await company.get("interactions", "/v1/dead-letters"))["items"])

    await eventually(kept)


async def met(company: Company, receiver: Receiver) -> str:
    """A customer whom every service and a channel know."""
    await company.tell(report("hello"), sale("O-1", "10.00", card=CARD), said(CALL, "call-1", CARD))
    await company.recorded(orders=1, interactions=1)
    await refused(company)
    customer: str = (await company.get("interactions", "/v1/orders"))["items"][0]["customer_id"]

    async def known() -> bool:
        view = await company.get("sync", f"/v1/customers/{customer}")
        assert view["contact"]["name"] == "Xaverine Quendolin"
        # The last to be told of whoever buys: contacts hears it from scoring.
        assert view["contact"]["stage"] == "customer"
        assert view["sales"]["orders"] == 1
        assert view["score"]
        return any(
            body["customer"]["contact"] and body["customer"]["contact"]["name"] == "Xaverine Quendolin"
            for body in receiver.bodies
        )

    await eventually(known, within=60)
    everyone = {"field": "sales.orders", "at_least": 1}

    async def meant() -> bool:
        return await company.meant(everyone) == 1

    await eventually(meant)
    await company.post("campaigns", "/v1/segments", {"segment_id": "buyers", "name": "Buyers", "rule": everyone})
    return customer


async def done_but_for(
    company: Company, erasure: dict[str, Any], *still_open: str, within: float = 60.0
) -> dict[str, Any]:
    async def look() -> Any:
        found = await company.get("contacts", f"/v1/erasures/{erasure['erasure_id']}")
        assert set(found["open"]) == set(still_open), found
        return found

    found: dict[str, Any] = await eventually(look, within=within)
    return found


async def listed(company: Company) -> Any:
    return (await company.get("interactions", "/v1/orders"))["items"]
