"""Sync: the single view of each customer, and the channels that are told about it."""
