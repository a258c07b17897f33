"""Whatever a merge, an export or an erasure asks of its customers is answered from an index, in every service."""

from contextlib import AsyncExitStack

import pytest

from shared import idempotency, mongo
from tests.journeys.conftest import Company
from tests.journeys.somebody import WHY, done_but_for, listed, listened_to, met
from tests.journeys.test_export import export_of
from tests.journeys.test_merges import shows
from tests.journeys.test_returns import sale
from tests.scans import Scan, scans, watched
from tests.sync.receiver import Receiver

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]
SERVICES = ("contacts", "interactions", "campaigns", "scoring", "sync")
LOOKED_THROUGH = {
    (service, idempotency.COLLECTION): "answers of a day, in whose bodies customers may be" for service in SERVICES
} | {("sync", "parts"): "packed views of those who are one, who are few"}


async def test_no_question_about_a_customer_reads_a_whole_collection(company: Company, receiver: Receiver) -> None:
    await listened_to(company, receiver)
    ann = await met(company, receiver)
    await company.tell(sale("O-9", "3.00", card="LC-9"))
    await company.recorded(orders=2)
    [bob] = {order["customer_id"] for order in await listed(company)} - {ann}
    await shows(company, bob, 1, "3.00")
    everyone = {"field": "sales.orders", "at_least": 1}
    campaign = {"campaign_id": "c", "name": "C", "channel": "mail", "message": "Hello", "segment": everyone}
    await company.post("campaigns", "/v1/campaigns", campaign | {"control_share": 0.5, "response_days": 60})
    await company.post("campaigns", "/v1/campaigns/c/launch", {})

    settings = company.shop.settings
    client = mongo.connect(settings)
    databases = {service: client[f"{settings.namespace}rapport_{service}"] for service in SERVICES}
    try:
        async with AsyncExitStack() as stack:
            for database in databases.values():
                await stack.enter_async_context(watched(database))
            merge = await company.post("contacts", f"/v1/contacts/{ann}/merges", {"absorbed": bob})
            await shows(company, ann, 2, "13.00")
            await company.post("contacts", f"/v1/merges/{merge['merge_id']}/undo", {"reason": "two people"})
            await shows(company, bob, 1, "3.00")
            await company.post("contacts", f"/v1/contacts/{ann}/merges", {"absorbed": bob})
            await shows(company, ann, 2, "13.00")
            await export_of(company, ann)
            erasure = await company.post("contacts", f"/v1/contacts/{ann}/erasure", WHY)
            await done_but_for(company, erasure, "log")
        naming = (ann, bob, erasure["erasure_id"], merge["merge_id"])
        found = {service: await scans(database, naming) for service, database in databases.items()}
    finally:
        await mongo.close(client)
    assert {(service, one) for service, of in found.items() for one in of if not _known(service, one)} == set()


def _known(service: str, scan: Scan) -> bool:
    return (service, scan.collection) in LOOKED_THROUGH
