"""Writing files so that a reader sees all of one or none of it, also after a power cut."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TEMPORARY = ".tmp-"  # Delta readers skip names that start with a dot


@contextmanager
def temporary_file(folder: Path) -> Iterator[Path]:
    """Path of a fresh empty file in a folder that is made where needed; what is left of it goes away at the end.

    Parameters
    ----------
    folder : Path
        On the same file system as the file's later place, so that `publish` is one rename.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=TEMPORARY, dir=folder)
    os.close(handle)
    path = Path(name)
    try:
        yield path
    finally:
        with suppress(FileNotFoundError):
            path.unlink()


def publish(temporary: Path, final: Path) -> None:
    """Give a finished temporary file its name, durably: bytes first, then the name, then the folder."""
    temporary.chmod(0o666 & ~_umask())  # mkstemp makes files that only their owner may read
    sync(temporary)
    temporary.replace(final)
    sync(final.parent)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a whole file, or leave what was there.

    Parameters
    ----------
    path : Path
        Its folder is made where needed.
    data : bytes

    Raises
    ------
    OSError
        When the disk is full or may not be written; the old file, if any, is untouched.
    """
    with temporary_file(path.parent) as temporary:
        temporary.write_bytes(data)
        publish(temporary, path)


def sync(path: Path) -> None:
    """Flush a file or folder to the disk."""
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
