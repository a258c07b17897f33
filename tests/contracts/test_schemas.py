"""The published documents: in step with the code, and able to notice a broken promise."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from deploy import schemas
from shared.contracts.channels import SaleReported
from shared.contracts.interactions import OrderPlaced


def test_the_files_are_what_the_code_says() -> None:
    stale = [path for path, text in schemas.documents().items() if (schemas.PLACE / path).read_text() != text]
    assert stale == []


def test_every_published_example_still_parses() -> None:
    assert schemas.bad_examples() == []


def test_no_published_promise_is_broken() -> None:
    assert schemas.broken_promises() == []


def changed(schema: dict[str, Any], change: str) -> dict[str, Any]:
    new = copy.deepcopy(schema)
    first = new["required"][0]
    match change:
        case "optional property added":
            new["properties"]["brand_new"] = {"type": "string"}
        case "required property added":
            new["properties"]["brand_new"] = {"type": "string"}
            new["required"].append("brand_new")
        case "required property removed":
            del new["properties"][first]
            new["required"].remove(first)
        case "type changed":
            new["properties"][first] = {"type": "integer"}
    return new


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ("optional property added", False),
        ("required property added", False),
        ("required property removed", True),
        ("type changed", True),
    ],
)
def test_readers_of_a_domain_fact_are_protected(change: str, broken: bool) -> None:
    old = schemas.schema(OrderPlaced)
    assert schemas.incompatible(old, changed(old, change)) is broken


@pytest.mark.parametrize(
    ("change", "broken"),
    [("optional property added", False), ("required property added", True), ("type changed", True)],
)
def test_channel_systems_that_write_as_before_are_protected(change: str, broken: bool) -> None:
    old = schemas.schema(SaleReported)
    assert schemas.incompatible(old, changed(old, change), edge=True) is broken


def test_a_fact_that_disappears_is_a_broken_promise(tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "crm.contact.forgotten.v1.json").write_text("{}")
    assert any("the fact is gone" in fault for fault in schemas.broken_promises(tmp_path))


def test_an_example_that_no_longer_parses_is_found(tmp_path: Path) -> None:
    place = tmp_path / "examples" / OrderPlaced.TYPE
    place.mkdir(parents=True)
    (place / "1.json").write_text(json.dumps({"order_id": 1}))
    assert any(OrderPlaced.TYPE in fault for fault in schemas.bad_examples(tmp_path))


def test_the_asyncapi_document_names_every_topic_and_only_known_channels() -> None:
    document = schemas.asyncapi()
    assert document["asyncapi"] == "3.0.0"
    named = {operation["channel"]["$ref"].removeprefix("#/channels/") for operation in document["operations"].values()}
    assert named <= set(document["channels"])
