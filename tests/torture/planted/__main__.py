"""Runs a service with a bug in it: `python -m tests.torture.planted <bug> <service> <port>`."""

from __future__ import annotations

import sys

import uvicorn

from deploy.local.services import KEEP_ALIVE_SECONDS
from tests.torture.planted import BUGS


def main(bug: str, service: str, port: str) -> None:
    BUGS[bug].plant()
    uvicorn.run(
        f"services.{service}.main:create",
        factory=True,
        loop="uvloop",
        http="httptools",
        host="127.0.0.1",
        port=int(port),
        access_log=False,
        timeout_graceful_shutdown=20,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
