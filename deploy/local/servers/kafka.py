"""The Kafka broker on this machine: Apache Kafka 4 from Maven Central where Java is, else the broker of a wheel."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import socket
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from importlib import metadata, resources
from pathlib import Path
from typing import NamedTuple

from deploy.local.errors import CannotStart, NoProgram, tail
from deploy.local.layout import ROOT, Layout
from deploy.local.servers.server import Say, Server

VERSION = "4.3.1"
POM = ROOT / "deploy/local/kafka/pom.xml"
CHECKSUMS = ROOT / "deploy/local/kafka/jars.sha256"
JARS = ROOT / "var/kafka" / VERSION
OLDEST_JAVA = 17
WHEEL = "noida_db"
LOG_TIME = "yyyy-MM-dd'T'HH:mm:ss.SSSXXX"

# One node that is broker and controller. Voters are named statically, so that the port may change between two starts.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}{listeners}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}{advertised}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT{protocols}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
message.max.bytes=10485760
replica.fetch.max.bytes=10485760
num.network.threads=2
num.io.threads=4
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=33554432
log.segment.bytes=134217728
"""


class Listener(NamedTuple):
    """One more port of the broker, for clients that reach it by another way, such as through a proxy."""

    name: str
    port: int
    advertised: int
    """The port that those clients are told to use."""


def choose(layout: Layout, say: Say, listeners: Sequence[Listener] = ()) -> Server:
    """RAPPORT_BROKER=apache or noida takes the choice away; more listeners are Apache Kafka's alone."""
    wanted = "apache" if listeners else os.environ.get("RAPPORT_BROKER", "")
    missing = _missing()
    if wanted == "apache" and missing:
        raise NoProgram(f"{'more listeners are wanted' if listeners else 'RAPPORT_BROKER=apache'}, but {missing}")
    if wanted == "noida" or missing:
        return _noida(layout, missing or "RAPPORT_BROKER=noida")
    try:
        jars = _jars(say)
    except CannotStart as error:
        if wanted == "apache":
            raise
        say(f"Apache Kafka cannot be had: {error}")
        return _noida(layout, "Maven could not fetch Apache Kafka")
    return _apache(layout, jars, listeners)


def answers(host: str, port: int) -> bool:
    """Whether a broker takes requests: it is asked for its API versions, the one request that every broker knows."""
    request = struct.pack(">hhih", 18, 0, 1, -1)
    try:
        with socket.create_connection((host, port), timeout=2) as connection:
            connection.settimeout(2)
            connection.sendall(struct.pack(">i", len(request)) + request)
            return len(connection.recv(8)) > 0
    except OSError:
        return False


def _java() -> str:
    home = os.environ.get("JAVA_HOME")
    return str(Path(home) / "bin/java") if home else "java"


def _missing() -> str:
    """What keeps Apache Kafka from running here; empty where nothing does."""
    if not shutil.which(_java()):
        return "there is no java"
    told = subprocess.run([_java(), "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', told)
    if not version or int(version[1]) < OLDEST_JAVA:
        return f"java is {version[1] if version else 'unknown'}, and {OLDEST_JAVA} or newer is needed"
    return "" if JARS.is_dir() or shutil.which("mvn") else "there is no mvn"


def _jars(say: Say) -> Path:
    if not JARS.is_dir():
        say(f"fetching Apache Kafka {VERSION} with Maven (once)")
        _fetch()
    _verify(JARS)
    return JARS


def _fetch() -> None:
    """Into a directory of its own first: two runs at once must not see each other's half."""
    JARS.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=JARS.parent) as place:
        log, jars = Path(place) / "maven.log", Path(place) / "jars"
        goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={jars}"]
        with log.open("wb") as output:
            done = subprocess.run(
                ["mvn", "-q", "-B", "-f", str(POM), *goal], stdout=output, stderr=output, timeout=600, check=False
            )
        if done.returncode:
            raise CannotStart(f"Maven failed:\n{tail(log)}")
        _verify(jars)
        if not JARS.exists():
            jars.rename(JARS)


def _verify(jars: Path) -> None:
    expected = {name: digest for digest, name in map(str.split, CHECKSUMS.read_text().splitlines())}
    found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in jars.iterdir()}
    if wrong := sorted({name for name, _ in expected.items() ^ found.items()}):
        raise CannotStart(f"these jars in {jars} are not the ones we know ({CHECKSUMS.name}): {', '.join(wrong)}")


def _apache(layout: Layout, jars: Path, listeners: Sequence[Listener]) -> Server:
    place = layout.servers / "kafka"
    properties = place / "server.properties"
    java = [_java(), *_flags(), "-cp", f"{jars}/*"]

    def prepare() -> None:
        data = place / "data"
        place.mkdir(parents=True, exist_ok=True)
        ports = {"port": layout.ports["kafka"], "controller": layout.ports["controller"]}
        properties.write_text(PROPERTIES.format(**ports, **_more(listeners), data=data))
        if not (data / "meta.properties").exists():
            _format(java, properties)

    return Server(
        name="kafka",
        version=f"Apache Kafka {VERSION}",
        why="java and Maven are here",
        command=(*java, "kafka.Kafka", str(properties)),
        ports=(layout.ports["kafka"], layout.ports["controller"]),
        url=f"127.0.0.1:{layout.ports['kafka']}",
        prepare=prepare,
        ready=lambda: answers("127.0.0.1", layout.ports["kafka"]),
    )


def _more(listeners: Sequence[Listener]) -> dict[str, str]:
    """What further listeners add to the properties."""
    return {
        "listeners": "".join(f",{one.name}://127.0.0.1:{one.port}" for one in listeners),
        "advertised": "".join(f",{one.name}://127.0.0.1:{one.advertised}" for one in listeners),
        "protocols": "".join(f",{one.name}:PLAINTEXT" for one in listeners),
    }


def _flags() -> tuple[str, ...]:
    """The broker shares a small machine: the serial collector costs the least CPU at this heap size, and pauses stay
    within some milliseconds; where there are cores to spare, Java's own choice is right.
    """
    collector = ("-XX:+UseSerialGC",) if (os.cpu_count() or 1) <= 4 else ()
    logger = "-Dorg.slf4j.simpleLogger"
    logging = (f"{logger}.defaultLogLevel=warn", f"{logger}.showDateTime=true", f"{logger}.dateTimeFormat={LOG_TIME}")
    return ("-Xms256m", "-Xmx768m", *collector, *logging)


def _format(java: list[str], properties: Path) -> None:
    tool = [*java, "kafka.tools.StorageTool"]
    cluster = subprocess.run([*tool, "random-uuid"], capture_output=True, text=True, check=True).stdout.strip()
    done = subprocess.run(
        [*tool, "format", "-t", cluster, "-c", str(properties)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CannotStart(f"Kafka's storage could not be formatted: {done.stdout}{done.stderr}")


def _noida(layout: Layout, why: str) -> Server:
    try:
        program = Path(str(resources.files(WHEEL))) / "noida-db"
        version = metadata.version("noida-db")
    except (ModuleNotFoundError, metadata.PackageNotFoundError):
        raise NoProgram(
            f"No Kafka broker: {why}, and the wheel noida-db is not installed for this machine. "
            f"Install a JDK {OLDEST_JAVA}+ and Maven (Debian: apt install default-jdk-headless maven), "
            f"or set KAFKA_BOOTSTRAP to a broker of your own."
        ) from None
    place = layout.servers / "noida"
    port = layout.ports["kafka"]
    listen = ("--host", "127.0.0.1", "--only", "kafka", "--kafka-port", str(port))

    def prepare() -> None:
        place.mkdir(parents=True, exist_ok=True)
        program.chmod(0o755)

    return Server(
        name="kafka",
        version=f"noida-db {version}",
        why=f"{why}; good for trying out: a crash of this broker loses its last seconds",
        command=(str(program), "start", "--data-dir", str(place), *listen),
        ports=(port,),
        url=f"127.0.0.1:{port}",
        prepare=prepare,
        ready=lambda: answers("127.0.0.1", port),
    )
