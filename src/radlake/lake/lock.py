"""One writer per lake: a lock that ends with its process, however that ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from radlake.lake.errors import LakeLockedError, storage_errors

# POSIX locks belong to a process, so forked workers that outlive a killed driver do not keep the lake closed, as they
# would with flock. Within a process they exclude nobody, and closing any descriptor of the file drops them: hence the
# set of files that this process holds.
_HELD: set[Path] = set()


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock file, without waiting for it.

    Parameters
    ----------
    path : Path
        Made where needed; it stays, with the number of the last process that held it.

    Raises
    ------
    LakeLockedError
        When this or another process holds it; the message names the process.
    NotWritableError, StorageError
        When the file cannot be made.
    """
    path = path.resolve()
    if path in _HELD:
        raise LakeLockedError("this process is writing to the lake already: finish that first")
    with storage_errors():
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    _HELD.add(path)
    try:
        _take(handle)
        yield
    finally:
        _HELD.discard(path)
        os.close(handle)


def _take(handle: int) -> None:
    """Lock a file and write into it who holds it."""
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # POSIX allows either
        raise _locked(handle) from None
    with storage_errors():
        os.truncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)


def _locked(handle: int) -> LakeLockedError:
    """The refusal, naming the holder where its number can be read."""
    text = os.pread(handle, 20, 0)
    holder = f" (process {int(text)})" if text.isdigit() else ""
    return LakeLockedError(f"another radlake{holder} is writing to this lake: wait for it, or stop it")
