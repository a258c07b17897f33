"""Figures on real data sets that the models have to reach, each by its published protocol: `python -m tests.scoring.bars NAME`."""
