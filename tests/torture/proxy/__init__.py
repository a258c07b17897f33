"""A TCP proxy that makes the network bad on purpose, one link at a time."""

from tests.torture.proxy.link import Link
from tests.torture.proxy.links import Links
from tests.torture.proxy.weather import FAIR, Weather

__all__ = ["FAIR", "Link", "Links", "Weather"]
