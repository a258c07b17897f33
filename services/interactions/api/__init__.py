"""HTTP in: events of channel systems, the history and its orders, dead letters; a module a part."""

from services.interactions.api.dead_letters import router as dead_letters
from services.interactions.api.events import router as events
from services.interactions.api.held import held
from services.interactions.api.history import router as history
from services.interactions.api.problems import PROBLEMS, TAGS

__all__ = ["PROBLEMS", "TAGS", "dead_letters", "events", "held", "history"]
