"""Walk the input folders: every regular file, once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_from_bytes

from radlake.core.errors import UsageError
from radlake.core.place import Place, Remote, Status, place

LAKE_MARK = "lake.json"


class NoInput(UsageError):  # noqa: N818 - names the problem
    """A named input does not exist."""


@dataclass(frozen=True)
class Found:
    """A regular file: absolute path, size in bytes and modification time in nanoseconds.

    A path whose name is not valid text (bytes of an old encoding) stands as a percent-encoded "file://" URI; a file in
    a store by its own URI, with what the store says about its content as `tag`.
    """

    uri: str
    bytes: int
    mtime_ns: int
    tag: str = ""

    @property
    def input_key(self) -> str:
        """Changes when the file does."""
        return f"{self.bytes}:{self.mtime_ns}" + (f":{self.tag}" if self.tag else "")


def require(folders: Sequence[str | Place]) -> None:
    """Check that every named input exists.

    Raises
    ------
    NoInput
        Naming the first that does not.
    """
    for folder in folders:
        if not place(folder).exists():
            raise NoInput(f"there is no file or folder {str(folder)!r}")


def walk(folders: Sequence[str | Place], unreadable: Callable[[], None] = lambda: None) -> Iterator[Found]:
    """Every regular file under the folders, each once, in the order of the paths.

    Links to files are followed, links to folders are not (they may lead in circles), and lakes are left out.

    Parameters
    ----------
    folders : sequence of paths or URIs
        Files or folders.
    unreadable : callable
        Called for each folder that may not be listed.

    Raises
    ------
    NoInput
        When a named folder or file does not exist.
    """
    require(folders)
    if len(folders) == 1:  # nothing in one folder comes twice, and a million addresses are not remembered
        yield from _at(place(folders[0]), unreadable)
        return
    seen: set[str] = set()
    for folder in folders:
        for file in _at(place(folder), unreadable):
            if file.uri not in seen:
                seen.add(file.uri)
                yield file


def _at(where: Place, unreadable: Callable[[], None]) -> Iterator[Found]:
    """The file at a place, or the files below it."""
    if isinstance(where, Remote):
        yield from [_in_store(where, where.stat())] if where.is_file() else _below_remote(where, unreadable)
        return
    path = Path(str(absolute(where)))
    yield from [_found(str(path), path.stat())] if path.is_file() else _below(str(path), unreadable)


def absolute(where: str | Place) -> Place:
    """One name for a place wherever a process stands: "../scans" and "/data/scans" are the same files."""
    path = place(where)
    if isinstance(path, Remote):
        return path
    return path.resolve() if ".." in path.parts else path.absolute()


def _below(folder: str, unreadable: Callable[[], None]) -> Iterator[Found]:
    """Regular files under a folder, depth first, sorted."""
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda e: e.name)
    except OSError:
        unreadable()
        return
    if any(e.name == LAKE_MARK for e in entries):
        return
    for entry in entries:
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from _below(entry.path, unreadable)
            elif entry.is_file():
                yield _found(entry.path, entry.stat())
        except OSError:  # vanished meanwhile
            continue


def _below_remote(folder: Remote, unreadable: Callable[[], None]) -> Iterator[Found]:
    """As `_below`, in a store: one listing a folder."""
    try:
        entries = list(folder.scan())
    except OSError:
        unreadable()
        return
    if any(found.name == LAKE_MARK for found, _, _ in entries):
        return
    for found, is_folder, status in entries:
        if is_folder:
            yield from _below_remote(found, unreadable)
        else:
            yield _in_store(found, status)


def _in_store(found: Remote, status: Status) -> Found:
    """A file as the tables can hold it."""
    return Found(str(found), status.st_size, status.st_mtime_ns, status.tag)


def _found(path: str, status: os.stat_result) -> Found:
    """A file as the tables can hold it."""
    try:
        path.encode("utf-8")
        uri = path
    except UnicodeEncodeError:
        uri = "file://" + quote_from_bytes(os.fsencode(path))
    return Found(uri, status.st_size, status.st_mtime_ns)
