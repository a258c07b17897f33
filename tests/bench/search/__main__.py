"""`python -m tests.bench.search`."""

from tests.bench.search import run
from tests.bench.section import alone

alone("search", run, port_base=25_500)
