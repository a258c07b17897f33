"""Composes sync as it is while its views are made anew (`rapport rebuild sync`): it folds, and neither tells nor delivers.

What `main` composes refuses to start meanwhile.
"""

from fastapi import FastAPI

from services.sync.consumers import listen
from services.sync.handlers.rebuilding import Showing, in_silence
from services.sync.handlers.views import Views
from services.sync.main import now
from services.sync.settings import SyncSettings
from services.sync.store import TreeStore, ViewStore
from services.sync.store.rebuilding import RebuildStore
from shared.erasing import Erasing
from shared.plumbing import Plumbing


def create(settings: SyncSettings | None = None) -> FastAPI:
    """Its `state.show` ends the rebuild once everything is folded (`Showing.show`)."""
    plumbing = Plumbing("sync", settings or SyncSettings())
    database, messaging = plumbing.database, plumbing.messaging
    views, trees = ViewStore(database), TreeStore(database)
    folding = Views(views, trees, now)
    # Erasures are heard, and carried out once sync runs again.
    erasing = Erasing("sync", database, messaging, (), forget=folding.memory.drop)
    listen(messaging, erasing.beside(in_silence(folding.fold)))
    app = plumbing.app(
        title="Sync, made anew",
        description="Views that are not whole yet.",
        routers=[],
        prepare=[views.prepare, trees.prepare, erasing.prepare],
    )
    app.state.show = Showing(RebuildStore(database), messaging.transact).show
    return app
