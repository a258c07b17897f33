"""Processes that are killed, and who starts and kills them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from shared.settings import PlatformSettings

ROOT = Path(__file__).resolve().parents[3]


class Worker:
    """One process at a time, each after the other's death, under one name, so that it takes its leases back at once."""

    def __init__(self, settings: PlatformSettings) -> None:
        names = {"RAPPORT_NAMESPACE": settings.namespace, "RAPPORT_INSTANCE": "sync-0", "MONGO_URL": settings.mongo_url}
        command = [sys.executable, "-m", "tests.sync.workers.folding"]
        self.nursery = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | names, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.child = 0

    def start(self) -> None:
        assert self.nursery.stdin is not None
        self.nursery.stdin.write("one more\n")
        self.nursery.stdin.flush()
        self.child = int(self.heard())

    def kill(self) -> None:
        if self.child:
            os.kill(self.child, signal.SIGKILL)
            assert self.heard() == "dead"
            self.child = 0

    def heard(self) -> str:
        assert self.nursery.stdout is not None
        return self.nursery.stdout.readline().strip()

    def close(self) -> None:
        self.kill()
        self.nursery.communicate()
