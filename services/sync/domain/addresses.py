"""Where webhooks may go: public addresses only, so that nobody makes us call into our own network. No I/O here."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

PORTS = frozenset({443, 8443})
NAT64 = ip_network("64:ff9b::/96")
NOT_PUBLIC = [ip_network(net) for net in ("64:ff9b:1::/48", "192.88.99.0/24", "192.0.0.0/24", "2001::/23")]
"""Networks that `is_global` of Python 3.11 takes for public although they lead elsewhere."""
LONGEST_URL = 2000


class ForbiddenUrl(ValueError):
    """Webhooks do not go there."""


def is_public(address: str) -> bool:
    """Whether an address, and the IPv4 address that may be wrapped in it, is one of the public internet."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address) and (inner := wrapped(ip)) is not None:
        return is_public(str(inner))
    if any(ip.version == net.version and ip in net for net in NOT_PUBLIC):
        return False
    special = ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_loopback or ip.is_link_local
    return ip.is_global and not special


def wrapped(ip: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that this IPv6 address leads to, by mapping, 6to4, Teredo or NAT64."""
    if ip in NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)


def check_url(url: str, *, allow_private: bool) -> None:
    """Raise ForbiddenUrl unless it is an https URL without credentials to a usual port of a public host.

    A name is judged again, by all its addresses, whenever a connection is opened. `allow_private` is for one machine.
    """
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise ForbiddenUrl("not a URL")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ForbiddenUrl("not a URL") from error
    if not parts.hostname:
        raise ForbiddenUrl("not a URL")
    if parts.username is not None or parts.password is not None:
        raise ForbiddenUrl("a URL must not carry credentials")
    if allow_private and parts.scheme == "http":
        return
    if parts.scheme != "https":
        raise ForbiddenUrl("a webhook URL must be https")
    if not allow_private:
        check_public(parts.hostname, port)


def check_public(host: str, port: int | None) -> None:
    if (port or 443) not in PORTS:
        raise ForbiddenUrl(f"the port must be one of {sorted(PORTS)}")
    if is_literal(host) and not is_public(host):
        raise ForbiddenUrl("the address is not public")


def is_literal(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
