"""Sync's database: the only place that knows the driver. One file a set of collections that change together."""

from services.sync.store.channels import ChannelStore
from services.sync.store.deliveries import DeliveryStore
from services.sync.store.keys import KeyStore
from services.sync.store.trees import TreeStore
from services.sync.store.views import ViewStore

__all__ = ["ChannelStore", "DeliveryStore", "KeyStore", "TreeStore", "ViewStore"]
