"""What a channel keeps, and what can be read of it from outside."""

import json
from pathlib import Path

from demo.copies import Arrival, Copies, read


def body(customer: str, version: int, orders: int = 0) -> str:
    sales = {"orders": orders, "last_order_at": f"2017-01-0{orders}T00:00:00Z"} if orders else {"orders": 0}
    return json.dumps({"customer_id": customer, "version": version, "customer": {"sales": sales}})


def test_the_newest_version_is_kept_whatever_the_order(tmp_path: Path) -> None:
    copies = Copies(tmp_path / "shop.sqlite")
    for version in (1, 3, 2, 3):
        copies.take(body("anna", version), 1.0)
    copies.close()
    kept = read(tmp_path / "shop.sqlite")
    assert kept.bodies["anna"]["version"] == 3
    assert kept.counts == {"new": 2, "older": 1, "repeated": 1}


def test_it_can_be_read_while_the_channel_writes_and_shows_only_whole_commits(tmp_path: Path) -> None:
    copies = Copies(tmp_path / "shop.sqlite")
    copies.take(body("anna", 1), 1.0)
    copies.commit()
    copies.take(body("anna", 2), 2.0)
    copies.take(body("bert", 1), 2.0)
    assert {name: kept["version"] for name, kept in read(tmp_path / "shop.sqlite").bodies.items()} == {"anna": 1}
    copies.close()
    assert len(read(tmp_path / "shop.sqlite").bodies) == 2


def test_after_a_restart_it_goes_on_from_what_was_committed(tmp_path: Path) -> None:
    first = Copies(tmp_path / "shop.sqlite")
    first.take(body("anna", 5), 1.0)
    first.cursor = "0.15-1.22"
    first.close()
    second = Copies(tmp_path / "shop.sqlite")
    assert second.cursor == "0.15-1.22"
    second.take(body("anna", 4), 2.0)
    second.close()
    assert read(tmp_path / "shop.sqlite").bodies["anna"]["version"] == 5


def test_an_arrival_is_noted_when_the_orders_change_and_only_then(tmp_path: Path) -> None:
    copies = Copies(tmp_path / "shop.sqlite")
    for version, orders in ((1, 0), (2, 1), (3, 1), (4, 2)):
        copies.take(body("anna", version, orders), float(version))
    copies.close()
    assert read(tmp_path / "shop.sqlite").arrivals == [
        Arrival("anna", 1, "2017-01-01T00:00:00Z", 2.0),
        Arrival("anna", 2, "2017-01-02T00:00:00Z", 4.0),
    ]


def erased(customer: str, version: int) -> str:
    return json.dumps({"customer_id": customer, "version": version, "erased": "erasure-1", "customer": {}})


def test_of_whoever_is_erased_nothing_stays_and_no_late_copy_brings_them_back(tmp_path: Path) -> None:
    path = tmp_path / "shop.sqlite"
    copies = Copies(path)
    copies.take(body("anna", 1, orders=1), 1.0)
    copies.commit()
    copies.take(body("anna", 2, orders=2), 2.0)
    copies.take(erased("anna", 3), 3.0)
    copies.close()
    kept = read(path)
    assert (kept.bodies, kept.arrivals, kept.erased) == ({}, [], frozenset({"anna"}))
    again = Copies(path)
    again.take(body("anna", 2, orders=2), 4.0)
    again.close()
    assert read(path).bodies == {}


def test_an_erasure_is_owed_a_receipt_from_its_commit_until_it_is_given_also_after_a_restart(tmp_path: Path) -> None:
    copies = Copies(tmp_path / "calls.sqlite")
    copies.take(body("anna", 1), 1.0)
    copies.take(erased("anna", 2), 2.0)
    assert copies.owed() == []
    copies.close()
    again = Copies(tmp_path / "calls.sqlite")
    assert again.owed() == [("erasure-1", "anna")]
    again.receipted("anna")
    assert again.owed() == []
    again.close()
