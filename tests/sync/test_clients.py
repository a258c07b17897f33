"""The courier's gates: which addresses it resolves to and connects to, and what it says when something goes wrong."""

from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from services.sync.clients import signed
from services.sync.clients.pool import NotPublic, Origin, Pool, public_addresses
from services.sync.handlers.channels import new_secret


async def test_a_name_that_leads_inside_is_not_resolved() -> None:
    for name in ("localhost", "127.0.0.1", "0x7f000001", "2130706433", "::1", "::ffff:10.0.0.1", "169.254.169.254"):
        with pytest.raises(NotPublic):
            await public_addresses(name, 443)
    assert await public_addresses("8.8.8.8", 443) == ["8.8.8.8"]


async def test_an_address_inside_is_not_connected_to() -> None:
    pool = Pool(allow_private=False)
    for host in ("127.0.0.1", "localhost"):
        with pytest.raises(NotPublic):
            await pool.send(Origin(host, 443, secure=True), b"", 1.0)
    pool.close()


def test_the_exact_bytes_are_signed_with_every_valid_secret() -> None:
    old, new = new_secret(), new_secret()
    content = '{"name":"Zoë"}'.encode()
    headers = signed((new, old), "id-1", datetime.now(UTC), content)
    assert (headers["webhook-id"], len(headers["webhook-signature"].split(" "))) == ("id-1", 2)
    for secret in (old, new):
        Webhook(secret).verify(content, headers)


def test_a_secret_is_as_long_as_the_standard_wants_and_never_the_same() -> None:
    assert new_secret() != new_secret()
    assert len(new_secret()) == len("whsec_") + 44
