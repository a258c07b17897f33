"""A small client of the platform's HTTP API, for the command line."""

from __future__ import annotations

import http
import http.client
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any
from urllib.parse import urlencode, urlsplit

from deploy.local.errors import CannotStart
from deploy.local.layout import Layout

SECONDS = 60.0
FILE_SECONDS = 900.0
"""Of silence, while a file is on its way."""
BYTES = "application/octet-stream"
JSON, EVENTS = "application/json", "application/cloudevents-batch+json"


class Refused(Exception):
    """The platform answered with a problem; the message is what it says. Without a status nobody answered."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """One base URL and one key."""

    def __init__(self, base_url: str, key: str) -> None:
        self.base = urlsplit(base_url)
        self.key = key

    def get(self, path: str, **query: str | int | None) -> Any:
        asked = {name: value for name, value in query.items() if value is not None}
        return self._ask("GET", f"{path}?{urlencode(asked)}" if asked else path)

    def post(self, path: str, body: dict[str, Any] | None = None, seconds: float = SECONDS) -> Any:
        return self._ask("POST", path, body or {}, seconds=seconds)

    def put(self, path: str, body: object) -> Any:
        return self._ask("PUT", path, body)

    def delete(self, path: str) -> Any:
        return self._ask("DELETE", path)

    def post_bytes(self, path: str, body: bytes) -> Any:
        return self._ask("POST", path, body, BYTES)

    def send_file(self, path: str, sent: IO[bytes], **query: str) -> Any:
        """A file as the body, read piece by piece."""
        return self._ask("POST", f"{path}?{urlencode(query)}", sent, BYTES, seconds=FILE_SECONDS)

    def fetch(self, path: str, into: IO[bytes]) -> None:
        """An answer of any length, written as it comes."""
        with self._asked("GET", path, None, {}, FILE_SECONDS) as answer:
            if answer.status >= http.HTTPStatus.MULTIPLE_CHOICES:
                raise Refused(_problem(answer.status, answer.read().decode(errors="replace")), answer.status)
            shutil.copyfileobj(answer, into)

    def post_events(self, events: Sequence[Mapping[str, Any]]) -> Any:
        """A batch of CloudEvents; the answer says of each that was not taken why, and also where none was taken."""
        return self._ask("POST", "/v1/events", events, EVENTS, taken_as_well=(http.HTTPStatus.UNPROCESSABLE_ENTITY,))

    def _ask(
        self,
        method: str,
        path: str,
        body: object = None,
        kind_of_body: str = JSON,
        taken_as_well: Sequence[int] = (),
        seconds: float = SECONDS,
    ) -> Any:
        headers = {"Content-Type": kind_of_body} if body is not None else {}
        sent = body if body is None or kind_of_body == BYTES else json.dumps(body)
        with self._asked(method, path, sent, headers, seconds) as answer:
            text = answer.read().decode(errors="replace")
        if answer.status >= http.HTTPStatus.MULTIPLE_CHOICES and answer.status not in taken_as_well:
            raise Refused(_problem(answer.status, text), answer.status)
        return json.loads(text) if text else None

    @contextmanager
    def _asked(
        self, method: str, path: str, body: Any, headers: Mapping[str, str], seconds: float
    ) -> Iterator[http.client.HTTPResponse]:
        kind = http.client.HTTPSConnection if self.base.scheme == "https" else http.client.HTTPConnection
        connection = kind(self.base.netloc, timeout=seconds)
        with_key = {"Authorization": f"Bearer {self.key}", "Accept": "application/json, */*", **headers}
        try:
            connection.request(method, self.base.path.rstrip("/") + path, body, with_key)
            yield connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise Refused(
                f"nothing answers at {self.base.geturl()} ({error}); is the platform up? `rapport up`"
            ) from None
        finally:
            connection.close()


def of_platform(layout: Layout) -> Api:
    """The local platform with its admin key; RAPPORT_URL and RAPPORT_KEY point to another one."""
    url = os.environ.get("RAPPORT_URL")
    key = os.environ.get("RAPPORT_KEY")
    if url and not key:
        raise CannotStart("RAPPORT_URL is set; set RAPPORT_KEY to a key for it too")
    if not key and not layout.admin_key.exists():
        raise CannotStart("no platform has run here yet: `rapport up` first, or set RAPPORT_URL and RAPPORT_KEY")
    return Api(url or layout.base_url, key or layout.admin_key.read_text().strip())


def _problem(status: int, text: str) -> str:
    try:
        body = json.loads(text)
    except ValueError:
        return f"{status}: {text[:500]}"
    lines = [f"{status} {body.get('title', '')}: {body.get('detail') or ''}".rstrip(": ")]
    lines += [f"  {error.get('field')}: {error.get('message')}" for error in body.get("errors") or []]
    return "\n".join(lines)
