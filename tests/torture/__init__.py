"""The torture test: load, faults, invariants."""
