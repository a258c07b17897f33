"""The audit trail: who has seen what of whom, when and why."""

from shared.audit.log import COLLECTION, AuditLog, Trail
from shared.audit.routes import audit_routes
from shared.audit.seals import Accessed

WHO_ASKED = "who has looked at which customers, by id, and at which fields: without values, and sealed"
"""Why erasing a customer leaves the trail."""

__all__ = ["COLLECTION", "WHO_ASKED", "Accessed", "AuditLog", "Trail", "audit_routes"]
