"""A small client of the platform's HTTP API, for the command line."""

from __future__ import annotations

import http
import http.client
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

from deploy.local.errors import CannotStart
from deploy.local.layout import Layout

SECONDS = 60.0
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
        kind = http.client.HTTPSConnection if self.base.scheme == "https" else http.client.HTTPConnection
        connection = kind(self.base.netloc, timeout=seconds)
        headers = {"Authorization": f"Bearer {self.key}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = kind_of_body
        try:
            connection.request(
                method, self.base.path.rstrip("/") + path, json.dumps(body) if body is not None else None, headers
            )
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise Refused(
                f"nothing answers at {self.base.geturl()} ({error}); is the platform up? `rapport up`"
            ) from None
        finally:
            connection.close()
        if answer.status >= http.HTTPStatus.MULTIPLE_CHOICES and answer.status not in taken_as_well:
            raise Refused(_problem(answer.status, text), answer.status)
        return json.loads(text) if text else None


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
