"""The private part: a folder that only its owner may enter."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from radlake.lake.errors import PrivatePartError, storage_errors


def make_private(folder: Path) -> None:
    """Make the folder with mode 0700, or check the one that is there.

    Raises
    ------
    PrivatePartError
        When it exists and others may enter it: it may be a folder with another purpose, so its mode is not changed.
    NotWritableError, StorageError
    """
    with storage_errors():
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            if not folder.is_dir() or stat.S_IMODE(folder.stat().st_mode) & 0o077:
                raise PrivatePartError(
                    "the private part must be a folder that only you may enter: chmod 700 it, or name another"
                ) from None


def may_read(folder: Path | None) -> bool:
    """Whether this process may enter the private part; a copy of a lake without it answers False."""
    return folder is not None and folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)
