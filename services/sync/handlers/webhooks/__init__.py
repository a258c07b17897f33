"""Delivering to webhooks."""

from services.sync.handlers.webhooks.needs import Answer, Courier, Lease, Pace, Post
from services.sync.handlers.webhooks.worker import Worker

__all__ = ["Answer", "Courier", "Lease", "Pace", "Post", "Worker"]
