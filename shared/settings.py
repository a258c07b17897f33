"""What every service reads from its environment. A wrong value stops the start and says which."""

import os
import socket
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.contracts.fact import Currency


class PlatformSettings(BaseSettings):
    """Where the engines are and what is the same for the whole platform.

    Variables are the fields' names with `RAPPORT_` before them, but for the three engines, which go by their common
    names. Services add their own fields in a subclass.
    """

    model_config = SettingsConfigDict(env_prefix="RAPPORT_", extra="ignore", frozen=True, populate_by_name=True)

    kafka_bootstrap: str = Field("127.0.0.1:8892", validation_alias="KAFKA_BOOTSTRAP")
    mongo_url: str = Field("mongodb://127.0.0.1:8817/?replicaSet=rs0", validation_alias="MONGO_URL")
    redis_url: str = Field("redis://127.0.0.1:8879/0", validation_alias="REDIS_URL")
    namespace: str = Field("", pattern=r"^[a-z0-9._-]{0,40}$")
    """Prefix of topics, consumer groups, databases and Redis keys: several platforms on the same engines."""
    instance: str = Field(default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}")
    """This process among all of its service. A name given from outside is taken to survive a restart, and brings leases
    and partitions back at once; no two processes that live at the same time may share one.
    """
    mongo_driver: Literal["pymongo", "motor"] = "pymongo"
    currency: Currency = "USD"
    """The one currency of the company's books."""
    clock: Literal["wall", "stream"] = "wall"
    """`stream`: now is the newest event time seen, to play history."""
    admin_key_sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    partitions: int = Field(4, ge=1, le=1000)
    """Of every topic; used where topics are created."""
    kafka_idempotence: bool = True
    """Off only for brokers that do not know idempotent producers."""
    batch_records: int = Field(1000, ge=1, le=5000)
    """Most records in one consumed batch, and so in one transaction."""
    session_timeout_ms: int = Field(10_000, ge=6_000, le=300_000)
    """How long a consumer may be silent before its partitions go to another."""
    stuck_after_seconds: float = Field(120, gt=0)
    """How long a consumer may go without progress, while records wait and the broker answers, before it is not alive."""
    max_consecutive_dead_letters: int = Field(100, ge=1)
    """So many refusals in a row that cannot be the sender's fault stop the consumer instead of emptying the topic."""

    erasure_settle_seconds: float = Field(300, ge=0)
    """How long after an erasure a service looks again before it says that it is done. Less than a transaction lives
    (MongoDB: 60 s) is for tests only.
    """

    @property
    def lasting_name(self) -> bool:
        """Whether `instance` was given, and so will be given again when this process is started anew."""
        return "instance" in self.model_fields_set
