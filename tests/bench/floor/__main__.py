from tests.bench.floor import run
from tests.bench.section import alone

alone("floor", run)
