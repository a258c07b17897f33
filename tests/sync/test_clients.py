"""The courier's gates: which addresses it resolves to and connects to, and what it says when something goes wrong."""

import socket
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from services.sync.clients import NotPublic, PublicResolver, public_socket, signed
from services.sync.handlers.channels import new_secret


async def test_a_name_that_leads_inside_is_not_resolved() -> None:
    for name in ("localhost", "127.0.0.1", "0x7f000001", "2130706433"):
        with pytest.raises(NotPublic):
            await PublicResolver().resolve(name, 443)


def test_no_socket_is_made_for_an_address_inside() -> None:
    with pytest.raises(NotPublic):
        public_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("169.254.169.254", 443)))
    with pytest.raises(NotPublic):
        public_socket((socket.AF_INET6, socket.SOCK_STREAM, 0, "", ("::ffff:10.0.0.1", 443, 0, 0)))
    public_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("8.8.8.8", 443))).close()


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
