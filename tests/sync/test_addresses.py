"""Where webhooks may go, and the many ways to write that they may not."""

import pytest

from services.sync.domain.addresses import ForbiddenUrl, check_url, is_public

ELSEWHERE = """
127.0.0.1 10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 192.0.0.9 0.0.0.0 224.0.0.1 240.0.0.1
255.255.255.255 192.88.99.1 198.18.0.1 ::1 :: fd00::1 fe80::1 fe80::1%eth0 ff02::1 2001:db8::1 64:ff9b:1::1
::ffff:127.0.0.1 ::ffff:169.254.169.254 64:ff9b::7f00:1 2002:7f00:1:: 2001:0:7f00:1::
"""


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", ELSEWHERE.split())
def test_addresses_that_lead_elsewhere_are_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("url", ["https://shop.example/hooks", "https://shop.example:8443/h?a=b", "https://8.8.8.8/"])
def test_https_to_a_public_host_is_fine(url: str) -> None:
    check_url(url, allow_private=False)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example",
        "http://shop.example/",
        "ftp://shop.example/",
        "https:///path",
        "https://user:password@shop.example/",
        "https://user@shop.example/",
        "https://shop.example:22/",
        "https://shop.example:99999/",
        "https://127.0.0.1/",
        "https://[::ffff:127.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://shop.example/\r\nhost: inside",
        "https://shop.example/" + "a" * 3000,
    ],
)
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(ForbiddenUrl):
        check_url(url, allow_private=False)


def test_on_one_machine_plain_http_to_itself_is_allowed_but_no_credentials() -> None:
    check_url("http://127.0.0.1:9000/hooks", allow_private=True)
    with pytest.raises(ForbiddenUrl):
        check_url("http://user:password@127.0.0.1:9000/hooks", allow_private=True)
