"""The verbs of `rapport` that start, stop and look at a platform."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from typing import Annotated

import typer
from rich.table import Table

from deploy.local import (
    drained,
    platform,
    servers as local_servers,
    services,
    state,
    topic_settings,
    topics as local_topics,
)
from deploy.local.cli.contacts import contacts
from deploy.local.cli.dead_letters import dead_letters
from deploy.local.cli.rebuilding import rebuild
from deploy.local.cli.scoring import scoring
from deploy.local.cli.terminal import ERR, OUT, plainly, say
from deploy.local.errors import tail
from deploy.local.routes import SERVICES
from deploy.local.state import Row

ABOUT = """
Rapport, an event-driven CRM: the whole platform on this machine.

**rapport up** starts Kafka, MongoDB, Redis, the five services and one gateway in front of them, and leaves
them running; **rapport down** stops them. No Docker and no root is needed. Servers of your own win:
KAFKA_BOOTSTRAP, MONGO_URL, REDIS_URL, each on its own.

RAPPORT_PORT_BASE moves all ports (default 8800), RAPPORT_STATE the directory for data and logs (default var/).
"""
EXPECTED_NAMES = (*services.NAMES, *local_servers.NAMES, "supervisor")

run = typer.Typer(help=ABOUT, no_args_is_help=True, rich_markup_mode="markdown", add_completion=False)
run.add_typer(dead_letters, name="dead-letters")
run.add_typer(contacts, name="contacts")
run.add_typer(scoring, name="scoring")
run.command()(rebuild)


@run.command()
def up() -> None:
    """Start all that does not run yet, and wait until everything is ready.

    The services keep running when the terminal is closed, and start again by themselves if they end. The key that
    may do everything is written to run/admin.key in the state directory, for your eyes only.
    """
    with plainly(hint="What has started keeps running: rapport status, rapport logs NAME, rapport down."):
        running = platform.up(platform.current(), say)
    for line in running.servers.lines():
        OUT.print(line, markup=False)
    table = Table(box=None, show_header=False)
    table.add_row("API", running.base_url)
    for name in SERVICES:
        table.add_row(f"{name} docs", f"http://127.0.0.1:{running.layout.ports[name]}/docs")
    table.add_row("admin key", str(running.layout.admin_key))
    table.add_row("logs", str(running.layout.logs))
    OUT.print(table)


@run.command()
def down(
    wipe: Annotated[bool, typer.Option("--wipe", help="Delete the data, the logs and the admin key too.")] = False,
) -> None:
    """Stop what `rapport up` started, and nothing else. Data stays, unless it is wiped.

    Each process gets 30 s to finish what it is doing. Servers that were given by KAFKA_BOOTSTRAP, MONGO_URL or
    REDIS_URL are left alone, and so is what is stored there.
    """
    with plainly():
        stopped = platform.down(platform.current(), wipe=wipe)
    OUT.print(f"stopped {', '.join(stopped)}" if stopped else "nothing was running")


@run.command()
def status() -> None:
    """What runs, since when, and how far behind it is. The exit code is 1 unless everything is ready."""
    with plainly():
        rows = state.rows(platform.current())
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for heading in ("", "state", "version"):
        table.add_column(heading, no_wrap=True)
    for heading in ("pid", "port", "up", "MB", "restarts", "lag"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(row.name, _coloured(row), row.version, *map(_shown, _figures(row)))
    OUT.print(table)
    for row in rows:
        if row.why:
            OUT.print(f"\n{row.name}: {row.why}", markup=False)
    raise typer.Exit(0 if all(row.fine for row in rows) else 1)


def _coloured(row: Row) -> str:
    colour = "green" if row.fine else "red" if row.state == "died" else "yellow"
    return f"[{colour}]{row.state}[/{colour}]"


def _figures(row: Row) -> tuple[object, ...]:
    return (row.pid, row.port, _duration(row.seconds), row.memory_mb, row.restarts or None, row.lag)


def _duration(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}m" if hours else f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


def _shown(value: object) -> str:
    return "" if value is None else str(value)


@run.command()
def logs(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(EXPECTED_NAMES)}.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is written from now on.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many lines of the end.")] = 50,
) -> None:
    """The end of what a server or service has written."""
    if name not in EXPECTED_NAMES:
        raise typer.BadParameter(f"must be one of {', '.join(EXPECTED_NAMES)}", param_hint="NAME")
    log = platform.current().log(name)
    if follow and (program := shutil.which("tail")):
        os.execv(program, ["tail", "-n", str(lines), "-F", str(log)])  # noqa: S606 - this process becomes tail
    print(tail(log, lines, indent=""))


@run.command()
def topics(
    partitions: Annotated[int, typer.Option(envvar="RAPPORT_PARTITIONS", min=1, help="Of each topic.")] = 4,
    replication: Annotated[int, typer.Option(envvar="RAPPORT_REPLICATION", min=1, help="Copies of each.")] = 1,
    namespace: Annotated[str, typer.Option(envvar="RAPPORT_NAMESPACE", help="Prefix of all names.")] = "",
    alter: Annotated[bool, typer.Option("--alter", help="Set what differs on those that are there already.")] = False,
) -> None:
    """Create the topics that are missing and check those that are there; `rapport up` does it too. Then say where the
    broker keeps one otherwise than was promised: for too long, and an erasure waits for it.

    KAFKA_BOOTSTRAP says on which brokers; without it, those of the local platform.
    """
    bootstrap = os.environ.get("KAFKA_BOOTSTRAP") or f"127.0.0.1:{platform.current().ports['kafka']}"
    with plainly():
        found = asyncio.run(local_topics.create(bootstrap, namespace, partitions, replication=replication))
        differing = asyncio.run((topic_settings.alter if alter else topic_settings.differences)(bootstrap, namespace))
    for name, count in found.items():
        OUT.print(f"{name}: {count} partitions")
    for one in differing:
        OUT.print(f"{one}{'; set' if alter else ''}")
    if differing and not alter:
        OUT.print("`rapport topics --alter` sets what was promised.")


@run.command()
def partitions(
    count: Annotated[int, typer.Argument(min=1, help="How many every topic is to have.")],
    namespace: Annotated[str, typer.Option(envvar="RAPPORT_NAMESPACE", help="Prefix of all names.")] = "",
) -> None:
    """Add partitions to the topics, while the services are stopped and everything is drained; else it refuses.

    docs/decisions/0009-adding-partitions.md says why, and how. Afterwards RAPPORT_PARTITIONS has to say the new number.
    """
    ports = platform.current().ports
    bootstrap = os.environ.get("KAFKA_BOOTSTRAP") or f"127.0.0.1:{ports['kafka']}"
    mongo = os.environ.get("MONGO_URL") or f"mongodb://127.0.0.1:{ports['mongo']}/?directConnection=true"
    with plainly(hint="Nothing was changed. Let the services drain, stop them, and try again."):
        asyncio.run(drained.require(bootstrap, mongo, namespace))
    with plainly():
        sizes = asyncio.run(local_topics.enlarge(bootstrap, namespace, count))
    for name, size in sizes.items():
        OUT.print(f"{name}: {size} partitions")


servers = typer.Typer(help="Only Kafka, MongoDB and Redis, without the services.", no_args_is_help=True)
run.add_typer(servers, name="servers")


@servers.command("up")
def servers_up(
    export: Annotated[
        bool, typer.Option("--export", help='Print lines for a shell: eval "$(rapport servers up --export)".')
    ] = False,
) -> None:
    """Start the three servers and wait for them."""
    layout = platform.current()
    with plainly():
        found = local_servers.up(layout, say)
    for line in found.lines():
        (ERR if export else OUT).print(line, markup=False)
    if export:
        for variable, value in found.environment().items():
            print(f"export {variable}='{value}'")


@servers.command("down")
def servers_down() -> None:
    """Stop the three servers; services that still run will wait for them to come back."""
    with plainly():
        stopped = local_servers.down(platform.current())
    OUT.print(f"stopped {', '.join(stopped)}" if stopped else "nothing was running")


@run.command()
def demo(
    share: Annotated[
        float, typer.Option("--slice", min=0.001, max=1.0, help="Which share of the households plays.")
    ] = 1.0,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the platform running afterwards.")] = False,
) -> None:
    """Play a year of real customers through the platform, and compare every figure with an independent ledger.

    The result is printed and written to var/demo/summary.json. One difference anywhere makes the exit code 1.
    """
    from demo.main import run as play

    with plainly():
        raise typer.Exit(play(slice=share, keep=keep))


@run.command()
def version() -> None:
    """The versions of Rapport and of the Python it runs on."""
    OUT.print(f"Rapport {services.version()}, Python {sys.version.split()[0]}")
