"""The private part: a folder that only its owner may enter, or a place in a store that its rules close to others."""

from __future__ import annotations

import os
import stat

from radlake.core.place import Place, Remote
from radlake.lake.errors import PrivatePartError, storage_errors

_OPEN = "the private part must be a folder that only you may enter: chmod 700 it, or name another"
_MARK = ".private"  # an object store has no empty folders


def make_private(folder: Place) -> None:
    """Make the folder with mode 0700, or check the one that is there.

    Raises
    ------
    PrivatePartError
        When it exists and others may enter it: it may be a folder with another purpose, so its mode is not changed.
    NotWritableError, StorageError

    Notes
    -----
    An object store keeps no modes: who may read a bucket is said in the store, and only there (`check_own_place`).
    """
    with storage_errors():
        if isinstance(folder, Remote):
            _make_remote(folder)
            return
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            if not folder.is_dir() or stat.S_IMODE(folder.stat().st_mode) & 0o077:
                raise PrivatePartError(_OPEN) from None


def check_own_place(root: Place, private: Place | None) -> None:
    """Refuse a private part that would lie where the lake lies, in a store that cannot close one part to others.

    Raises
    ------
    PrivatePartError
    """
    if isinstance(root, Remote) and not root.has_modes and (private is None or _inside(private, root)):
        raise PrivatePartError(
            "an object store has no file modes, so the private part needs a place of its own that only you may read: "
            "name another bucket with --private s3://..., or a local folder"
        )


def may_read(folder: Place | None) -> bool:
    """Whether this process may enter the private part; a copy of a lake without it answers False."""
    if isinstance(folder, Remote):
        try:
            return folder.is_dir()
        except OSError:
            return False
    return folder is not None and folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)


def _make_remote(folder: Remote) -> None:
    """Make the place, closed to others where the store can do that."""
    if not folder.has_modes:
        (folder / _MARK).create(b"")
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        if not folder.is_dir() or folder.mode() & 0o077:
            raise PrivatePartError(_OPEN) from None


def _inside(inner: Place, outer: Remote) -> bool:
    """Whether one place is the other or lies below it."""
    return isinstance(inner, Remote) and inner.is_relative_to(outer)
