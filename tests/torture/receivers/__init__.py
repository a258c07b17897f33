"""The channels of a torture run: a process of its own that takes webhooks and follows a stream, and misbehaves on order."""
