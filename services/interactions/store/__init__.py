"""MongoDB out: the history and the dead letters. The only place in interactions that knows the driver."""

from services.interactions.store.dead_letters import DeadLetterStore
from services.interactions.store.history import HistoryStore

__all__ = ["DeadLetterStore", "HistoryStore"]
