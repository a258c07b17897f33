"""`python -m tests.bench.isolation`."""

from tests.bench.isolation import run
from tests.bench.section import alone

alone("isolation", run, port_base=25_400)
