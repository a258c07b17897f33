"""Processes that tests of sync start and kill."""
