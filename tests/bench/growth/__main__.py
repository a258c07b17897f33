"""`python -m tests.bench.growth`."""

from tests.bench.growth import run
from tests.bench.section import alone

alone("growth", run, port_base=25_400)
