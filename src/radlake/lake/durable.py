"""Writing files so that a reader sees all of one or none of it, also after a power cut.

A store keeps that promise by itself: a file is made on this machine and sent whole (`radlake.core.place`).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from radlake.core.place import Place, Remote

TEMPORARY = ".tmp-"  # Delta readers skip names that start with a dot


@contextmanager
def temporary_file(folder: Place) -> Iterator[Path]:
    """Path of a fresh empty file in a folder that is made where needed; what is left of it goes away at the end.

    Parameters
    ----------
    folder : Path or Remote
        On the same file system as the file's later place, so that `publish` is one rename; for a store the file is
        in this machine's folder for temporary files.
    """
    if isinstance(folder, Path):
        folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=TEMPORARY, dir=folder if isinstance(folder, Path) else None)
    os.close(handle)
    path = Path(name)
    try:
        yield path
    finally:
        with suppress(FileNotFoundError):
            path.unlink()


def publish(temporary: Path, final: Place) -> None:
    """Give a finished temporary file its name, durably: bytes first, then the name, then the folder."""
    if isinstance(final, Remote):
        final.upload(temporary)
        return
    temporary.chmod(0o666 & ~_umask())  # mkstemp makes files that only their owner may read
    sync(temporary)
    temporary.replace(final)
    sync(final.parent)


def write_bytes(path: Place, data: bytes) -> None:
    """Write a whole file, or leave what was there.

    Parameters
    ----------
    path : Path or Remote
        Its folder is made where needed.
    data : bytes

    Raises
    ------
    OSError
        When the disk is full or may not be written; the old file, if any, is untouched.
    """
    if isinstance(path, Remote):
        path.write_bytes(data)
        return
    with temporary_file(path.parent) as temporary:
        temporary.write_bytes(data)
        publish(temporary, path)


@contextmanager
def filled_folder(folder: Place) -> Iterator[Path]:
    """A local folder to write into in place of this one, which holds the files at the end.

    A store gets them one by one: what must be read together needs its own proof of being complete, as a bundle's
    manifest with hashes is.
    """
    if isinstance(folder, Path):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix=TEMPORARY) as draft:
        local = Path(draft) / folder.name
        yield local
        for path in sorted(p for p in local.rglob("*") if p.is_file()):
            (folder / path.relative_to(local).as_posix()).upload(path)


def remove_folder(folder: Place) -> None:
    """Remove a folder with all that is in it; one that is absent is none."""
    if isinstance(folder, Path):
        shutil.rmtree(folder, ignore_errors=True)
        return
    for file in folder.rglob("*"):
        file.unlink()


def sync(path: Place) -> None:
    """Flush a file or folder to the disk; what a store has taken, it has."""
    if isinstance(path, Remote):
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    """The process's umask; reading it means setting it for a moment."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
