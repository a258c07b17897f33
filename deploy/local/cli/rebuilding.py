"""`rapport rebuild`: a service's state made anew from what the others keep, with a bar."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

import typer

from deploy.local import platform, rebuilding
from deploy.local.cli.terminal import OUT, bar, plainly
from shared.settings import PlatformSettings

RECORDS_AT_ONCE = "5000"


def rebuild(
    service: Annotated[rebuilding.Name, typer.Argument(help="Whose state.")],
    namespace: Annotated[str, typer.Option(envvar="RAPPORT_NAMESPACE", help="Prefix of all names.")] = "",
) -> None:
    """Make a service's state anew from what the others keep: where it was lost, or where a new version reads facts otherwise.

    No service may run, and none may have anything left to tell; on this machine: `rapport down`, `rapport servers up`, `rapport rebuild scoring`,
    `rapport up`. What the service tells is told again. Models that were fitted, campaigns, segments, channels and keys stay. It may be
    broken off and run again; sync starts once it has come to its end.

    KAFKA_BOOTSTRAP, MONGO_URL and REDIS_URL say where the servers are; without them, those of the local platform.
    """
    ports = platform.current().ports
    os.environ.setdefault("KAFKA_BOOTSTRAP", f"127.0.0.1:{ports['kafka']}")
    os.environ.setdefault("MONGO_URL", f"mongodb://127.0.0.1:{ports['mongo']}/?directConnection=true")
    os.environ.setdefault("REDIS_URL", f"redis://127.0.0.1:{ports['redis']}/0")
    os.environ["RAPPORT_NAMESPACE"] = namespace
    os.environ.setdefault("RAPPORT_LOG_LEVEL", "error")
    os.environ.setdefault("RAPPORT_BATCH_RECORDS", RECORDS_AT_ONCE)
    with plainly(), bar(service) as advance:
        records = asyncio.run(
            rebuilding.rebuild(service, PlatformSettings(), lambda done: advance(done.records, done.of))
        )
    OUT.print(f"{service} was made anew from {records:,} facts")
