"""Who is counted as one caller of what anybody may call."""

import pytest

from services.contacts.api.anybody import network_of


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("made up", "made up"),
    ],
)
def test_all_addresses_that_one_connection_may_choose_from_are_one_caller(address: str, counted: str) -> None:
    assert network_of(address) == counted
