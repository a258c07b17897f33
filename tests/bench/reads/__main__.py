"""`python -m tests.bench.reads`."""

from tests.bench.reads import run
from tests.bench.section import alone

alone("reads", run, port_base=25_400)
