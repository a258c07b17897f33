"""Protocols on real data that take minutes: `python -m tests.scoring.bars NAME`."""
