"""The e-shop: a process that receives signed webhooks and knows its customers in their newest version."""

import argparse
import logging
import os
import time
from collections import OrderedDict
from pathlib import Path

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from demo.copies import Copies

REMEMBERED = 100_000
"""Webhook ids remembered; a repetition comes soon or not at all."""
COPIES = web.AppKey("copies", Copies)
WEBHOOK = web.AppKey("webhook", Webhook)
SEEN = web.AppKey("seen", OrderedDict[str, None])


async def receive(request: web.Request) -> web.Response:
    """2xx is said only after the customer is on disk: what was acknowledged is never asked for again."""
    body, arrived_at, copies = await request.read(), time.time(), request.app[COPIES]
    if not is_signed(request.app[WEBHOOK], body, dict(request.headers.items())):
        copies.counts["refused"] += 1
        return web.Response(status=401, text="signature does not verify")
    seen, webhook_id = request.app[SEEN], request.headers["webhook-id"]
    if webhook_id in seen:
        copies.counts["repeated"] += 1
        return web.Response(status=204)
    try:
        copies.take(body, arrived_at)
    except (KeyError, TypeError, ValueError):
        return web.Response(status=400, text="not a customer")
    copies.commit()
    remember(seen, webhook_id)
    return web.Response(status=204)


def is_signed(webhook: Webhook, body: bytes, headers: dict[str, str]) -> bool:
    """The library raises ValueError, too, on bytes that are no text and on signatures that are no base64."""
    try:
        webhook.verify(body, headers, json_parse=False)
    except (WebhookVerificationError, ValueError):
        return False
    return True


def remember(seen: OrderedDict[str, None], webhook_id: str) -> None:
    seen[webhook_id] = None
    if len(seen) > REMEMBERED:
        seen.popitem(last=False)


async def close(app: web.Application) -> None:
    app[COPIES].close()


def create(secret: str, path: Path) -> web.Application:
    app = web.Application(client_max_size=4 * 1024 * 1024)
    app[COPIES], app[WEBHOOK], app[SEEN] = Copies(path), Webhook(secret), OrderedDict()
    app.router.add_post("/hooks/customers", receive)
    app.on_cleanup.append(close)
    return app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--file", required=True, type=Path, help="where the customers are kept (SQLite)")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    app = create(os.environ["E_SHOP_SECRET"], given.file)
    web.run_app(app, host="127.0.0.1", port=given.port, access_log=None, print=None, shutdown_timeout=5)


if __name__ == "__main__":
    main()
