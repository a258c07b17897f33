"""The judge of a torture run: what was accepted against all that the platform holds, tells and has delivered.

Nothing of the platform's code is imported here, directly or indirectly, so no mistake of it can hide itself. It reads
databases, topics, the public HTTP APIs and the channels' own logs.
"""

from tests.torture.judge.books import Account, Books
from tests.torture.judge.breach import Breach, Breaches

__all__ = ["Account", "Books", "Breach", "Breaches"]
