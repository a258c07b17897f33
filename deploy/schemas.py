"""The contracts as documents: a JSON Schema per fact and one AsyncAPI 3 document, kept in `docs/contracts`.

    python -m deploy.schemas            write them; refuses a schema that readers of the old one could not live with
    python -m deploy.schemas --check    say whether the files are what the code says, and every example still parses

The published files are the memory of what was promised: a contract only grows (`docs/decisions/0003-contracts-grow.md`).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import ValidationError

from shared.contracts.campaigns import CAMPAIGNS
from shared.contracts.channels import INBOUND
from shared.contracts.contacts import CONTACTS
from shared.contracts.erasures import ERASURES
from shared.contracts.fact import Fact, Topic
from shared.contracts.interactions import INTERACTIONS, SALES
from shared.contracts.scoring import SCORES
from shared.contracts.sync import ACCESS, CUSTOMERS
from shared.contracts.topics import ALL, DEAD_LETTERS, REPLAYS

PLACE = Path(__file__).parents[1] / "docs" / "contracts"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

# service: (listens to, tells). tests/contracts holds this against what the services really subscribe to.
ROLES: dict[str, tuple[tuple[Topic, ...], tuple[Topic, ...]]] = {
    "contacts": ((INBOUND, SCORES, ERASURES), (CONTACTS, ERASURES, DEAD_LETTERS)),
    "interactions": ((INBOUND, CONTACTS, DEAD_LETTERS), (INTERACTIONS, SALES, ERASURES, DEAD_LETTERS, REPLAYS)),
    "campaigns": ((CONTACTS, INTERACTIONS, SALES, SCORES), (CAMPAIGNS, ERASURES, DEAD_LETTERS)),
    "scoring": ((CONTACTS, INTERACTIONS, SALES), (SCORES, ERASURES, DEAD_LETTERS)),
    "sync": ((CONTACTS, INTERACTIONS, SALES, SCORES, CAMPAIGNS), (CUSTOMERS, ACCESS, ERASURES, DEAD_LETTERS)),
}


def facts() -> Iterator[type[Fact]]:
    for topic in ALL:
        yield from topic.facts


def schema(fact: type[Fact]) -> dict[str, Any]:
    """What a writer may send us, at the edge; what we promise to send, elsewhere."""
    mode: Literal["validation", "serialization"] = "validation" if fact in INBOUND.facts else "serialization"
    return {"$schema": DIALECT, "$id": f"{fact.TYPE}.json", **fact.model_json_schema(mode=mode)}


def envelope() -> dict[str, Any]:
    """The Kafka headers of every event: CloudEvents 1.0, binary mode."""
    attributes = {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"type": "string", "minLength": 1, "maxLength": 512},
        "ce_source": {"type": "string", "minLength": 1, "maxLength": 512},
        "ce_type": {"type": "string"},
        "ce_time": {"type": "string", "format": "date-time"},
        "ce_subject": {"type": "string", "description": "The aggregate's id, the same as the record's key."},
        "ce_sequence": {
            "type": "string",
            "description": "Strictly growing within a publisher; the same if sent again.",
        },
        "ce_correlationid": {"type": "string", "description": "The id of the edge event that this goes back to."},
        "ce_origin": {"type": "string", "description": "The source of that edge event."},
        "ce_traceparent": {"type": "string"},
        "content-type": {"const": "application/json"},
    }
    return {
        "type": "object",
        "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "content-type"],
        "properties": attributes,
    }


def asyncapi() -> dict[str, Any]:
    """All topics, what is on them, and which service sends and receives it."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Rapport",
            "version": "1.0.0",
            "description": "Facts between Rapport's services, and between Rapport and channel systems.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in ALL},
        "operations": dict(_operations()),
        "components": {
            "messages": {fact.TYPE: _message(fact) for fact in facts()},
            "messageTraits": {"cloudEvent": {"headers": envelope()}},
        },
    }


def _channel(topic: Topic) -> dict[str, Any]:
    cleanup = "compact" if topic.compacted else "delete"
    retention = -1 if topic.retention is None else int(topic.retention.total_seconds() * 1000)
    kafka = {"topicConfiguration": {"cleanup.policy": [cleanup], "retention.ms": retention}, "bindingVersion": "0.5.0"}
    return {
        "address": topic.name,
        "messages": {fact.TYPE: {"$ref": f"#/components/messages/{fact.TYPE}"} for fact in topic.facts},
        "bindings": {"kafka": kafka},
    }


def _message(fact: type[Fact]) -> dict[str, Any]:
    return {
        "name": fact.TYPE,
        "summary": (fact.__doc__ or "").strip().splitlines()[0],
        "contentType": "application/json",
        "traits": [{"$ref": "#/components/messageTraits/cloudEvent"}],
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": f"schemas/{fact.TYPE}.json"},
        },
    }


def _operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for service, (receives, sends) in ROLES.items():
        for action, topics in (("receive", receives), ("send", sends)):
            for topic in topics:
                channel = {"$ref": f"#/channels/{topic.name}"}
                yield f"{service}.{action}.{topic.name}", {"action": action, "channel": channel}


def documents() -> dict[Path, str]:
    """Every file, by its path under `docs/contracts`."""
    files = {Path("asyncapi.json"): asyncapi()}
    files |= {Path("schemas") / f"{fact.TYPE}.json": schema(fact) for fact in facts()}
    return {path: json.dumps(content, indent=1, sort_keys=True) + "\n" for path, content in files.items()}


def incompatible(old: dict[str, Any], new: dict[str, Any], *, edge: bool = False) -> bool:
    """Whether a reader of the old schema could meet what it cannot read; at the edge, whether an old writer is refused."""
    from jsoncompat import check_compat

    if edge:
        # Without closing, a property that we add would clash with any that an old writer might have made up.
        return not check_compat(json.dumps(_closed(old)), json.dumps(_closed(new)), "deserializer")
    return not check_compat(json.dumps(_local(old)), json.dumps(_local(new)), "serializer")


def _local(document: dict[str, Any]) -> dict[str, Any]:
    """The checker resolves local references only, and takes an $id for one."""
    return {key: value for key, value in document.items() if key != "$id"}


def _closed(document: dict[str, Any]) -> dict[str, Any]:
    """No properties but the named ones, at any depth."""

    def close(node: Any) -> Any:
        if isinstance(node, list):
            return [close(element) for element in node]
        if not isinstance(node, dict):
            return node
        closed = {key: close(value) for key, value in node.items()}
        return closed | {"additionalProperties": False} if "properties" in closed else closed

    return cast("dict[str, Any]", close(_local(document)))


def broken_promises(place: Path = PLACE) -> list[str]:
    """Published schemas that the code no longer keeps: changed so that old readers fail, or gone."""
    now = {f"{fact.TYPE}.json": fact for fact in facts()}
    broken = []
    for path in sorted((place / "schemas").glob("*.json")):
        if path.name not in now:
            broken.append(f"{path.name}: the fact is gone; a published contract stays")
            continue
        fact = now[path.name]
        if incompatible(json.loads(path.read_text()), schema(fact), edge=fact in INBOUND.facts):
            broken.append(f"{path.name}: not compatible with what was published; make a v2")
    return broken


def bad_examples(place: Path = PLACE) -> list[str]:
    """Examples once published that today's contracts do not read, and facts without an example."""
    bad = []
    for fact in facts():
        paths = sorted((place / "examples" / fact.TYPE).glob("*.json"))
        if not paths:
            bad.append(f"{fact.TYPE}: no example")
        for path in paths:
            try:
                fact.model_validate_json(path.read_text())
            except ValidationError as error:
                bad.append(f"{path.relative_to(place)}: {error}")
    return bad


def main() -> int:
    parser = argparse.ArgumentParser(description="Write or check the documents of the contracts.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail if anything is not as it should be")
    check = parser.parse_args().check
    faults = broken_promises() + bad_examples()
    if check:
        faults += [
            f"{path} is not what the code says; run `make schemas`"
            for path, text in documents().items()
            if not (PLACE / path).exists() or (PLACE / path).read_text() != text
        ]
    elif not faults:
        for path, text in documents().items():
            (PLACE / path).parent.mkdir(parents=True, exist_ok=True)
            (PLACE / path).write_text(text)
    for fault in faults:
        sys.stderr.write(f"{fault}\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
