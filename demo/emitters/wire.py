"""Steps as bytes: CloudEvents 1.0 over HTTP (batch, structured, binary) and in Kafka records (binary, structured)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from demo.emitters.faults import Message
from demo.emitters.plan import Step

JSON = "application/json"
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
TOPIC = "crm.inbound"


@dataclass(frozen=True, slots=True)
class Record:
    """A Kafka record. The key is the channel's own identifier, so that one customer's events stay in order."""

    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class Post:
    """One HTTP request with one event or many."""

    body: bytes
    headers: dict[str, str]
    steps: tuple[Step, ...]


def structured(message: Message) -> dict[str, Any]:
    return message.attributes | {"datacontenttype": JSON, "data": message.data}


def record(step: Step, number: int) -> Record:
    """Most in binary mode; every 40th valid one structured, every 50th with a header that means nothing and is null."""
    message = step.message
    key = own_identifier(message.data)
    if step.fault is None and number % 40 == 0:
        return Record(key, orjson.dumps(structured(message)), [("content-type", STRUCTURED.encode())])
    headers = [(f"ce_{name}", None if value is None else value.encode()) for name, value in message.attributes.items()]
    headers.append(("content-type", JSON.encode()))
    if step.fault is None and number % 50 == 7:
        headers.append(("x-till-operator", None))
    return Record(key, message.body, headers)


def own_identifier(data: dict[str, Any]) -> bytes | None:
    if not data["customer"]:
        return None
    first = data["customer"][0]
    return f"{first['scheme']}:{first['value']}".encode()


def travels_alone(step: Step, number: int) -> bool:
    """A body that is no JSON would take its whole batch with it; and some tills send every sale by itself."""
    return step.message.raw is not None or (step.fault is None and number % 500 == 0)


def batch(steps: list[Step]) -> Post:
    body = orjson.dumps([structured(step.message) for step in steps])
    return Post(body, {"content-type": BATCH}, tuple(steps))


def single(step: Step, number: int) -> Post:
    message = step.message
    if step.fault is None and number % 1000 == 0:
        return Post(orjson.dumps(structured(message)), {"content-type": STRUCTURED}, (step,))
    attributes = {f"ce-{name}": value for name, value in message.attributes.items()}
    return Post(message.body, attributes | {"content-type": JSON}, (step,))


def posts(steps: Sequence[tuple[int, Step]], size: int) -> list[Post]:
    """Numbered steps of one system as requests, in order."""
    made: list[Post] = []
    waiting: list[Step] = []
    for number, step in steps:
        alone = travels_alone(step, number)
        if waiting and (alone or len(waiting) == size):
            made.append(batch(waiting))
            waiting = []
        if alone:
            made.append(single(step, number))
        else:
            waiting.append(step)
    return [*made, batch(waiting)] if waiting else made
