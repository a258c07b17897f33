"""Kafka, MongoDB and Redis in containers, where a Docker daemon answers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from importlib import import_module
from typing import Any

from pymongo import MongoClient

from deploy.local.layout import free
from deploy.local.servers import NAMES, Servers, given, kafka, mongo, redis
from deploy.local.servers.server import Address
from tests.waiting import until

KAFKA_VERSION = kafka.VERSION
IMAGES = {"kafka": f"apache/kafka:{KAFKA_VERSION}", "mongo": "mongo:6.0", "redis": "redis:8"}
WHY = "in a container"


def daemon_answers() -> bool:
    """Asked in a process of its own, because docker's client leaves sockets open when nobody answers."""
    ping = [sys.executable, "-c", "import docker; docker.from_env(timeout=5).ping()"]
    return subprocess.run(ping, capture_output=True, check=False).returncode == 0


def start(stack: ExitStack) -> Servers:
    """Start what the environment does not name; the stack stops it again."""
    starters: dict[str, Callable[[ExitStack], Address]] = {"kafka": _kafka, "mongo": _mongo, "redis": _redis}
    return Servers(**{name: given(name) or starters[name](stack) for name in NAMES})


def kafka_environment(host: str, port: int) -> dict[str, str]:
    """One node, listening on the same port inside and outside, so that what it advertises is true in both places."""
    return {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": f"PLAINTEXT://:{port},CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{host}:{port}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_INTER_BROKER_LISTENER_NAME": "PLAINTEXT",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_MESSAGE_MAX_BYTES": "10485760",
        "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "4",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS": "4",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
    }


def _kafka(stack: ExitStack) -> Address:
    port = free()["kafka"]
    host = os.environ.get("TESTCONTAINERS_HOST_OVERRIDE", "127.0.0.1")
    container = _container(IMAGES["kafka"]).with_bind_ports(port, port).with_envs(**kafka_environment(host, port))
    stack.enter_context(container)
    until(lambda: kafka.answers(host, port), "Kafka")
    return Address(f"{host}:{port}", f"Apache Kafka {KAFKA_VERSION}", WHY)


def _mongo(stack: ExitStack) -> Address:
    command = ["--replSet", mongo.REPLICA_SET, "--bind_ip_all", "--setParameter", "transactionLifetimeLimitSeconds=5"]
    container = stack.enter_context(_container(IMAGES["mongo"]).with_command(command).with_exposed_ports(27017))
    host, port = container.get_container_host_ip(), container.get_exposed_port(27017)
    url = f"mongodb://{host}:{port}/?directConnection=true"
    until(lambda: _primary(url), "MongoDB")
    return Address(url, str(mongo.version_at(url)), WHY)


def _primary(url: str) -> bool:
    with MongoClient[dict[str, object]](url, serverSelectionTimeoutMS=1000) as client:
        return mongo.is_primary(client, "localhost:27017")


def _redis(stack: ExitStack) -> Address:
    container = stack.enter_context(_container(IMAGES["redis"]).with_exposed_ports(6379))
    url = f"redis://{container.get_container_host_ip()}:{container.get_exposed_port(6379)}/0"
    until(lambda: redis.version_at(url) is not None, "Redis")
    return Address(url, str(redis.version_at(url)), WHY)


def _container(image: str) -> Any:
    # Imported late: without a daemon nobody needs it, and it takes half a second.
    return import_module("testcontainers.core.container").DockerContainer(image)
