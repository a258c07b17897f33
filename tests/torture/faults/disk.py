"""A small disk of its own for the database, which can be filled: a file system in a file, mounted on a loop device."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

FILLER = "filler"
BLOCK = 4096


class NoDisk(Exception):
    """The disk cannot be made here."""


class Disk:
    """Mounted on `place`. Sparse: what is not written takes no room on the real disk, the filler included."""

    def __init__(self, image: Path, place: Path, megabytes: int) -> None:
        self.image = image
        self.place = place
        self.megabytes = megabytes

    async def mount(self) -> None:
        if os.geteuid():
            raise NoDisk("only root can mount a disk for the database: run as root, or without `disk_mb`")
        await self.unmount()
        self.place.mkdir(parents=True, exist_ok=True)
        with self.image.open("wb") as file:
            file.truncate(self.megabytes * 1_048_576)
        await _run("mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=1", str(self.image))
        await _run("mount", "-o", "loop", str(self.image), str(self.place))
        (self.place / "lost+found").rmdir()

    async def unmount(self) -> None:
        """Whatever is there is gone; also what a stage that was killed has left."""
        while self.place.is_mount():
            await _run("umount", str(self.place))
        self.image.unlink(missing_ok=True)

    @property
    def free(self) -> int:
        """Bytes."""
        found = os.statvfs(self.place)
        return found.f_bavail * found.f_frsize

    def fill(self) -> None:
        """Take all that is free."""
        with (self.place / FILLER).open("ab") as file:
            step = self.free
            while step >= BLOCK:
                try:
                    os.posix_fallocate(file.fileno(), file.tell(), step)
                    file.seek(0, os.SEEK_END)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    step //= 2

    def empty(self) -> None:
        (self.place / FILLER).unlink(missing_ok=True)


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, told = await process.communicate()
    if process.returncode:
        raise NoDisk(f"{' '.join(command)}: {told.decode(errors='replace').strip()}")
