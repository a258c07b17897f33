"""`python -m tests.bench.duplicates`: this section by itself."""

from tests.bench.duplicates import run
from tests.bench.section import alone

alone("duplicates", run)
