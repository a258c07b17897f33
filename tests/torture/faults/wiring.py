"""Who talks to whom on a stage, and through which link: one for each pair, named `scoring-1>mongo`."""

from __future__ import annotations

import json
from collections.abc import Mapping

from deploy.local import services
from deploy.local.layout import PORTS_FILE
from deploy.local.routes import SERVICES
from deploy.local.servers.kafka import Listener
from deploy.local.services import Service
from tests.torture.faults.clocks import Clocks
from tests.torture.faults.plan import Instance, Plan
from tests.torture.proxy import Links

USES_REDIS = ("interactions",)
USES_CONTACTS = ("interactions",)


async def open_links(plan: Plan, links: Links) -> list[Listener]:
    """Open all links between what the stage itself runs; returns the broker's listeners behind them."""
    ports = plan.layout.ports
    listeners = []
    for one in plan.places():
        kafka = await links.open(f"{one.name}>kafka", [_at(ports[one.listener])])
        listeners.append(Listener(one.listener, ports[one.listener], kafka.port))
        await links.open(f"{one.name}>mongo", [_at(ports["mongo"])])
        if one.service in USES_REDIS:
            await links.open(f"{one.name}>redis", [_at(ports["redis"])])
        if one.service in USES_CONTACTS:
            await links.open(f"{one.name}>contacts", _instances(plan, "contacts"))
    for name in SERVICES:
        await links.open(f"gateway>{name}", _instances(plan, name))
    return listeners


def processes(plan: Plan, links: Links, clocks: Clocks | None, common: Mapping[str, str]) -> dict[str, Service]:
    """All processes that may run; each is told what is `common`, and to go through its own links."""
    gateway = services.gateway(plan.layout)
    return {
        **{one.name: _service(plan, one, links, clocks, common) for one in plan.places()},
        gateway.name: Service(gateway.name, gateway.command, gateway.port, common),
    }


def remember_gateway(plan: Plan, links: Links) -> None:
    """The gateway reads where the services are from the platform's record of ports: behind its links."""
    behind = {name: links[f"gateway>{name}"].port for name in SERVICES}
    (plan.layout.run / PORTS_FILE).write_text(json.dumps({**plan.layout.ports, **behind}))


def _service(plan: Plan, one: Instance, links: Links, clocks: Clocks | None, common: Mapping[str, str]) -> Service:
    port = plan.layout.ports[one.name]
    told = {
        **common,
        **(clocks.environment(one.name) if clocks else {}),
        "KAFKA_BOOTSTRAP": f"127.0.0.1:{links[f'{one.name}>kafka'].port}",
        # Directly, because a replica set tells its members' own addresses, and the driver would go round the link.
        "MONGO_URL": f"mongodb://127.0.0.1:{links[f'{one.name}>mongo'].port}/?directConnection=true",
        "RAPPORT_INSTANCE": one.name,
    }
    if one.service in USES_REDIS:
        told["REDIS_URL"] = f"redis://127.0.0.1:{links[f'{one.name}>redis'].port}/0"
    if one.service in USES_CONTACTS:
        told["RAPPORT_CONTACTS_URL"] = f"http://127.0.0.1:{links[f'{one.name}>contacts'].port}"
    return Service(one.name, plan.command(one.service, port), port, {**told, **plan.settings})


def _instances(plan: Plan, service: str) -> list[tuple[str, int]]:
    return [_at(plan.layout.ports[one.name]) for one in plan.places() if one.service == service]


def _at(port: int) -> tuple[str, int]:
    return ("127.0.0.1", port)
