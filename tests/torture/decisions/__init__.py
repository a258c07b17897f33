"""Decisions about persons while everything else goes on: who is one, who is two again, who wants to be forgotten."""

from tests.torture.decisions.families import families
from tests.torture.decisions.steward import Steward

__all__ = ["Steward", "families"]
