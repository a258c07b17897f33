"""Bugs planted on purpose, one at a time, into services that otherwise run as they are: the test of the torture test.

Nothing of this is in the services: `python -m tests.torture.planted <bug> <service> <port>` changes the loaded code and
then runs the service's real main. Each must turn a short run red, by an invariant and not by a crash.
"""

from tests.torture.planted.bug import Bug
from tests.torture.planted.catalogue import BUGS

__all__ = ["BUGS", "Bug"]
