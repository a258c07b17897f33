"""Webhooks on their way out: signing and posting here, on connections of our own making; nothing else calls out."""

from services.sync.clients.post import SignedPost, signed

__all__ = ["SignedPost", "signed"]
