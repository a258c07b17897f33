"""`python -m tests.bench.bareline`."""

from tests.bench.bareline import run
from tests.bench.section import alone

alone("bareline", run)
