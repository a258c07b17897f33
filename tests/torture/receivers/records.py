"""What a receiver writes down: each delivery as it came, and the newest body of each customer. Files only."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.torture.judge.deliveries import Delivery


class Notes:
    """The log of deliveries and the copies. What is taken is in the files after `save`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._file = deliveries_file(folder).open("w", newline="")
        self._writer = csv.writer(self._file)
        self.copies: dict[str, dict[str, tuple[int, bytes]]] = {}
        self.deliveries = 0

    def take(self, channel: str, arrived_at: float, message_id: str, body: bytes, *, signed: bool, taken: bool) -> None:
        """Write a delivery down, and keep the body if it is the newest and we may say that we have it."""
        told = json.loads(body)
        customer_id, version, customer = told["customer_id"], told["version"], told["customer"]
        orders = (customer.get("sales") or {}).get("orders", 0)
        row = (channel, f"{arrived_at:.6f}", customer_id, version, message_id, int(signed), int(taken), orders)
        self._writer.writerow((*row, customer.get("interactions", 0)))
        self.deliveries += 1
        copies = self.copies.setdefault(channel, {})
        if signed and version > copies.get(customer_id, (0, b""))[0]:
            copies[customer_id] = (version, body)

    def refused(self, channel: str, arrived_at: float, message_id: str, body: bytes, *, signed: bool) -> None:
        """A delivery that the receiver would not have: it reached it all the same."""
        told = json.loads(body)
        row = (channel, f"{arrived_at:.6f}", told["customer_id"], told["version"], message_id, int(signed), 0, 0, 0)
        self._writer.writerow(row)
        self.deliveries += 1

    def close(self) -> None:
        self.save()
        self._file.close()

    def save(self) -> None:
        self._file.flush()
        for channel, copies in self.copies.items():
            unfinished = copies_file(self._folder, channel).with_suffix(".new")
            with unfinished.open("wb") as file:
                file.writelines(body + b"\n" for _, body in copies.values())
            unfinished.replace(copies_file(self._folder, channel))


def deliveries_file(folder: Path) -> Path:
    return folder / "deliveries.csv"


def copies_file(folder: Path, channel: str) -> Path:
    return folder / f"{channel}.jsonl"


def read_deliveries(folder: Path) -> Iterator[Delivery]:
    with deliveries_file(folder).open(newline="") as file:
        for channel, arrived_at, customer_id, version, message_id, signed, taken, orders, met in csv.reader(file):
            yield Delivery(
                channel,
                float(arrived_at),
                customer_id,
                int(version),
                message_id,
                signed == "1",
                taken == "1",
                int(orders),
                int(met),
            )


def read_copies(folder: Path, channel: str) -> dict[str, dict[str, Any]]:
    """The newest body by customer id; empty where the channel was never sent anything."""
    path = copies_file(folder, channel)
    if not path.exists():
        return {}
    with path.open() as file:
        bodies = [json.loads(line) for line in file]
    return {body["customer_id"]: body for body in bodies}
